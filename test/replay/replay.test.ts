/** Workflows are deterministic: what was recorded once must replay, and a reordered workflow must not. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import {
  DefaultLogger,
  Runtime,
  Worker,
  bundleWorkflowCode,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, it } from 'vitest';
import { bundleWorkflows } from '../../src/workers/bundle.ts';

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));

let bundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await bundleWorkflows();
}, 60_000);

async function replay(workflowBundle: WorkflowBundleWithSourceMap, name: string): Promise<void> {
  const json = JSON.parse(await readFile(`${folder}${name}`, 'utf8')) as Record<string, unknown>;
  const history = proto.temporal.api.history.v1.History.fromObject(json);
  // Children are named after their parent, so the id is part of what is replayed.
  const workflowId = name === 'secpi.json' ? 'recorded' : `recorded/${name.replace('.json', '')}`;
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

it('has a history of the whole chain and of each stage', () => {
  expect(names.sort()).toEqual([
    'distil.json',
    'evaluate-base.json',
    'filter.json',
    'fine-tune.json',
    'secpi.json',
  ]);
});

it.each(names)('replays %s', async (name) => {
  await expect(replay(bundle, name)).resolves.toBeUndefined();
});

it('refuses a workflow whose steps changed their order', async () => {
  const reordered = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('reordered.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  await expect(replay(reordered, 'filter.json')).rejects.toThrow(DeterminismViolationError);
}, 60_000);
