/** `secpi traces WORKFLOW` over a real cluster: runs that ended, and runs whose workers are at it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/testing/cli.ts';
import type { StageResult } from '../../src/contract/workflows.ts';
import { quickRecipe, startTestStack, until, type TestStack } from '../chain/stack.ts';

const TEACHER_LATENCY_MS = 400;
const SHARD_ROWS = 4;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ teacherLatencyMs: TEACHER_LATENCY_MS });
  await stack.startWorker(['control', 'data', 'sandbox']);
});
afterAll(async () => await stack?.stop());

const traces = async (...args: string[]) => await runCli(['traces', ...args], { ...stack.env });

async function countsOf(run: string): Promise<Record<string, number>> {
  const { code, output } = await traces(run, '--count', '--json');
  if (code !== 0) throw new Error(output);
  return JSON.parse(output).byKind;
}

async function result(workflowId: string): Promise<StageResult> {
  return (await stack.client.workflow.getHandle(workflowId).result()) as StageResult;
}

describe('secpi traces of a run', () => {
  it('shows a filter while it goes, and all of it afterwards', async () => {
    const { dataset, filter } = await quickRecipe();
    const slow = { ...(filter?.['classifier'] as object), concurrency: SHARD_ROWS };
    await stack.startByCli('filterDataset', 'growing', {
      version: 1,
      dataset,
      filter: { ...filter, classifier: slow, shardRows: SHARD_ROWS, parallelShards: 1 },
    });
    const early = await until('a shard is done', async () => {
      const { code, output } = await traces('growing');
      return code === 0 && /(?:kept|dropped) \d/.test(output) && output;
    });
    expect(early).toContain('(not finished: what its finished shards hold)');
    expect((await stack.client.workflow.getHandle('growing').describe()).status.name).toBe('RUNNING');

    const { counts } = await result('growing');
    const { kept, dropped } = await countsOf('growing');
    expect([kept, dropped]).toEqual([counts['kept'], counts['dropped']]);
    expect((await traces('growing')).output).not.toContain('not finished');
  });

  it('shows filter and traces of a chain, whose later stages still wait', async () => {
    const recipe = await quickRecipe();
    await stack.startByCli('secpi', 'chain', recipe);
    // No GPU worker is there: the chain stays open after distil.
    const distilled = await until(
      'distil is done',
      async () => {
        const { stages } = await stack.progress('chain').catch(() => ({ stages: [] }));
        return stages.find(({ name, state }) => name === 'distil' && state === 'done');
      },
      240_000,
    );
    const counts = await countsOf('chain');
    const { counts: filtered } = await result('chain/filter');
    const traced = await result('chain/distil');
    expect(distilled.artifact).toBe(traced.artifact.uri);
    expect(counts).toEqual({
      kept: filtered['kept'],
      dropped: filtered['dropped'],
      accepted: traced.counts['accepted'],
      ...(traced.counts['rejected'] ? { rejected: traced.counts['rejected'] } : {}),
    });
    const { output } = await traces('chain', '--kind', 'accepted', '--limit', '1', '--full');
    expect(output).toMatch(/^filter {2}s3:[\s\S]*\ntraces {2}s3:[\s\S]*── Reasoning\n[\s\S]*── Answer\n/);
    await stack.client.workflow.getHandle('chain').terminate('the test is over');
    // Its rows are known by its history, however it ended.
    expect(await countsOf('chain')).toEqual(counts);
    // The base model's references are graded on the same machine meanwhile.
  }, 300_000);

  it('refuses what has no rows, and says what to name', async () => {
    expect(await traces('nobody')).toMatchObject({
      code: 2,
      output: expect.stringMatching(/ARTIFACT_NOT_FOUND {2}RUN\n {2}Problem: there is no run "nobody"/),
    });
    await stack.startByCli('evaluateModel', 'other', { version: 1 });
    expect(await traces('other')).toMatchObject({
      code: 2,
      output: expect.stringContaining('is of the type evaluateModel, which has no rows'),
    });
    await stack.startByCli('filterDataset', 'refused', { version: 1 });
    await result('refused').catch(() => undefined);
    expect(await traces('refused')).toMatchObject({
      code: 2,
      output: expect.stringContaining('the run "refused" ended (failed) before it had made rows'),
    });
  });
});
