/** Workflows are deterministic: what was recorded once must replay, and a reordered workflow must not. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleWorkflows } from '../../src/workers/bundle.ts';

const folder = fileURLToPath(new URL('histories/', import.meta.url));
const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));

let cacheDir: string;
let bundle: WorkflowBundle;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  cacheDir = await mkdtemp(join(tmpdir(), 'secpi-bundle-'));
  bundle = await bundleWorkflows(cacheDir);
}, 60_000);
afterAll(async () => await rm(cacheDir, { recursive: true, force: true }));

async function replay(workflowBundle: WorkflowBundle, name: string): Promise<void> {
  const json = JSON.parse(await readFile(`${folder}${name}`, 'utf8')) as Record<string, unknown>;
  const history = proto.temporal.api.history.v1.History.fromObject(json);
  // Children are named after their parent, so the id is part of what is replayed.
  const workflowId = name === 'secpi.json' ? 'recorded' : `recorded/${name.replace('.json', '')}`;
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

it('keeps the bundle, and finds it again at the next start', async () => {
  const [name = ''] = await readdir(join(cacheDir, 'workflow-bundles'));
  await writeFile(join(cacheDir, 'workflow-bundles', name), '// the kept one');
  expect(await bundleWorkflows(cacheDir)).toEqual({ code: '// the kept one' });
});

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
