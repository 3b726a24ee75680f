/** The data engine under kills, at a size for tests; `npm run faults:llm` runs the same scenarios long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  answeredAtLeast,
  budgetOf,
  freezeAndWake,
  killAndRestart,
  runDisturbed,
  violations,
  withoutStore,
  withoutTemporal,
  type Size,
} from './engineFaults.ts';
import { startTestStack, until, type TestStack, type WorkerProcess } from './stack.ts';

let stack: TestStack;
let worker: WorkerProcess;
const size: Size = { rows: 1200, concurrency: 48, latencyMs: 100, shardRows: 200 };
const half = size.rows / 2;

beforeAll(async () => {
  stack = await startTestStack({ suggestContinueAsNewAfter: 800 });
  await stack.startWorker(['control']);
  worker = await stack.startWorker(['data']);
});
afterAll(async () => await stack?.stop());

const OUTAGE_SECONDS = 20;

describe('kills', () => {
  it('of the worker: its own shards are taken up again within seconds', async () => {
    let firstRequestSeconds = Infinity;
    const sums = await runDisturbed(stack, 'worker-killed', size, async (endpoint) => {
      const restarted = await killAndRestart(stack, endpoint, worker, half);
      worker = restarted.worker;
      firstRequestSeconds = restarted.firstRequestSeconds;
    });
    expect(violations(sums)).toEqual([]);
    expect(sums.cutOff).toBeGreaterThan(0);
    // The heartbeat timeout is 15 s: it was not waited for.
    expect(firstRequestSeconds).toBeLessThan(10);
  });

  it('of the store for 20 s: answers wait on disk', async () => {
    const sums = await runDisturbed(stack, 'store-killed', size, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      await withoutStore(stack, OUTAGE_SECONDS);
    });
    expect(violations(sums)).toEqual([]);
  });

  it('of Temporal for 20 s: nothing is paid without a lease', async () => {
    const sums = await runDisturbed(stack, 'temporal-killed', size, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      await withoutTemporal(stack, OUTAGE_SECONDS);
    });
    expect(violations(sums)).toEqual([]);
  });

  it('a second worker takes over from a frozen one, which then wakes', async () => {
    let second: WorkerProcess | null = null;
    const sums = await runDisturbed(stack, 'worker-frozen', { ...size, rows: 2400 }, async (endpoint) => {
      await answeredAtLeast(endpoint, half);
      second = await freezeAndWake(stack, endpoint, worker);
    });
    expect(violations(sums)).toEqual([]);
    await (second as WorkerProcess | null)?.stop();
  });
});

it('goes on after a reset of the workflow, and publishes', async () => {
  const sums = await runDisturbed(stack, 'reset', { ...size, latencyMs: 300 }, async (endpoint) => {
    await answeredAtLeast(endpoint, size.shardRows);
    await stack.temporal(
      'workflow',
      'reset',
      '--workflow-id',
      'reset',
      '--type',
      'LastWorkflowTask',
      '--reason',
      'a test',
    );
  });
  expect({ lost: sums.lost, doubled: sums.doubled }).toEqual({ lost: 0, doubled: 0 });
  // What is in flight when the run is reset is cut off; until its worker hears of that, the new run may ask the same.
  expect(sums.paidTwice + sums.cutOff).toBeLessThanOrEqual(2 * size.concurrency);
});

it('a long stage goes on as another run of its workflow, and its own artefact stays one', async () => {
  // At least three events a shard, however the server batches them: more than one history takes here.
  const many: Size = { rows: 400, concurrency: 64, latencyMs: 1, shardRows: 1 };
  const sums = await runDisturbed(stack, 'continued', many, async () => undefined, {
    input: { reuse: 'never', parallelShards: 100 },
  });
  expect(violations(sums)).toEqual([]);
  const lengths: number[] = [];
  for await (const { historyLength } of stack.client.workflow.list({ query: 'WorkflowId = "continued"' }))
    lengths.push(historyLength ?? 0);
  expect(lengths.length).toBeGreaterThan(1);
  expect(Math.max(...lengths)).toBeLessThan(2000);
}, 240_000);

describe('money', () => {
  it('stops at the cap whatever dies, and goes on when it is raised', async () => {
    // 0.01 USD an answer at 256 completion tokens; the worst case of a request is 100 tokens more dear.
    const perMillion = 0.01 / 256e-6;
    const price = { prompt: 0, completion: perMillion };
    const cap = 3;
    const second = await stack.startWorker(['data']);
    let answeredAtPause = 0;
    const sums = await runDisturbed(
      stack,
      'capped',
      size,
      async (endpoint) => {
        await answeredAtLeast(endpoint, 100);
        await worker.kill();
        worker = await stack.startWorker(['data']);
        const paused = await until('the cap is reached', async () => {
          const { state, stages } = await stack.progress('capped');
          return state === 'paused' || stages.some((stage) => stage.state === 'paused') ? stages : null;
        });
        expect(paused[0]?.note).toContain('raiseBudget');
        await sleep(3000);
        answeredAtPause = (await endpoint.counts()).answered;
        const budget = await budgetOf(stack, 'capped');
        expect(budget.spentUsd + budget.unsettledUsd + budget.grantedUsd).toBeLessThanOrEqual(cap + 1e-9);
        // What the endpoint answered, at the price: never above the cap.
        expect(answeredAtPause * 0.01).toBeLessThanOrEqual(cap + 1e-9);
        await stack.temporal(
          'workflow',
          'update',
          'execute',
          '--workflow-id',
          'capped',
          '--name',
          'raiseBudget',
          '--input',
          '{"capUsd": 100}',
        );
      },
      {
        input: { budget: { capUsd: cap } },
        model: { priceUsdPerMillionTokens: price, sampling: { maxTokens: 512 } },
      },
    );
    expect(answeredAtPause).toBeGreaterThan(100);
    expect(violations(sums)).toEqual([]);
    await second.stop();
  });
});
