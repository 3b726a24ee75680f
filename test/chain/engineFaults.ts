/**
 * What the data engine promises under kills, as scenarios that a test runs small and `npm run faults:llm` runs long:
 * a real endpoint counts what was asked, answered and cut off while processes die.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEndpoint, writePrompts, type BenchEndpoint, type Counts } from '../../bench/llm/parts.ts';
import { answeredRowSchema } from '../../src/contract/rows.ts';
import type { AskInput, BudgetState, StageResult } from '../../src/contract/workflows.ts';
import { readRows } from '../../src/services/store/index.ts';
import { until, type TestStack, type WorkerProcess } from './stack.ts';

export interface Size {
  readonly rows: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly shardRows: number;
}

export interface Sums {
  readonly scenario: string;
  readonly rows: number;
  readonly concurrency: number;
  readonly requests: number;
  readonly answered: number;
  readonly paidTwice: number;
  readonly cutOff: number;
  /** Rows without an answer in the artefact. */
  readonly lost: number;
  /** Rows that stand in the artefact more than once. */
  readonly doubled: number;
  readonly refused: number;
  readonly faults: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
}

/** Runs `askModel` over fresh prompts while `disturb` does its worst; ends with what the endpoint and the artefact say. */
export async function runDisturbed(
  stack: TestStack,
  scenario: string,
  size: Size,
  disturb: (endpoint: BenchEndpoint) => Promise<void>,
  options: {
    readonly endpoint?: Readonly<Record<string, number>>;
    readonly input?: Partial<AskInput>;
    readonly model?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Sums> {
  const { rows, concurrency, latencyMs, shardRows } = size;
  const endpoint = await startEndpoint({ LATENCY_MS: latencyMs, ...options.endpoint });
  try {
    const dir = await mkdtemp(join(tmpdir(), 'secpi-faults-'));
    const prompts = join(dir, 'prompts.jsonl');
    await writePrompts(prompts, rows);
    await stack.startByCli('askModel', scenario, {
      version: 1,
      dataset: {
        uri: prompts,
        fields: { task: 'prompt', id: 'id' },
        nearDuplicates: { removeFrom: 1, groupFrom: 1 },
        decontaminate: [],
      },
      // Answers are shared by model and revision: a scenario must not find those of another.
      model: { baseUrl: endpoint.url, model: 'bench', revision: scenario, concurrency, ...options.model },
      shardRows,
      ...options.input,
    });
    await disturb(endpoint);
    const result = (await stack.client.workflow.getHandle(scenario).result()) as StageResult;
    const counts = await endpoint.counts();
    const seen = new Map<string, number>();
    const manifest = await stack.store.artifacts.readByUri(result.artifact.uri);
    for await (const { id } of readRows(
      stack.store.blobs,
      manifest.parts['answers'] ?? [],
      {},
      answeredRowSchema,
    ))
      seen.set(id, (seen.get(id) ?? 0) + 1);
    return {
      scenario,
      rows,
      concurrency,
      requests: counts.requests,
      answered: counts.answered,
      paidTwice: counts.paidTwice,
      cutOff: counts.cutOff,
      lost: rows - seen.size,
      doubled: [...seen.values()].filter((times) => times > 1).length,
      refused: counts.refused,
      faults: counts.faults,
      seconds: (counts.lastAnswerMs - counts.firstRequestMs) / 1000,
    };
  } finally {
    await endpoint.stop();
  }
}

export async function answeredAtLeast(endpoint: BenchEndpoint, answers: number): Promise<Counts> {
  return await until(
    `${answers} answers`,
    async () => {
      const counts = await endpoint.counts();
      return counts.answered >= answers ? counts : null;
    },
    120_000,
  );
}

/** What every scenario must come to: nothing lost, nothing doubled, no more paid for in vain than was in flight. */
export function violations({ lost, doubled, paidTwice, cutOff, concurrency }: Sums): string[] {
  return [
    ...(lost === 0 ? [] : [`${lost} rows lost`]),
    ...(doubled === 0 ? [] : [`${doubled} rows doubled`]),
    ...(paidTwice + cutOff <= concurrency
      ? []
      : [`paid twice ${paidTwice} + cut off ${cutOff} > concurrency ${concurrency}`]),
  ];
}

/** The store is away for a while; answers wait on disk. */
export async function withoutStore(stack: TestStack, seconds: number): Promise<void> {
  await stack.s3.kill();
  await sleep(seconds * 1000);
  await stack.s3.restart();
}

/** Temporal is away for a while: without an acknowledged heartbeat nothing is paid. */
export async function withoutTemporal(stack: TestStack, seconds: number): Promise<void> {
  await stack.killTemporal();
  await sleep(seconds * 1000);
  await stack.restartTemporal();
}

/** The worker freezes past the timeout, a second one takes over from it, then it wakes. */
export async function freezeAndWake(
  stack: TestStack,
  endpoint: BenchEndpoint,
  frozen: WorkerProcess,
): Promise<WorkerProcess> {
  frozen.freeze();
  const second = await stack.startWorker(['data']);
  const { requests } = await endpoint.counts();
  await until('the second worker asks', async () => (await endpoint.counts()).requests > requests + 20);
  await sleep(2000);
  frozen.wake();
  return second;
}

/** kill -9 of the worker half-way; a new one on the same host. Returns seconds from its start to its first request. */
export async function killAndRestart(
  stack: TestStack,
  endpoint: BenchEndpoint,
  worker: WorkerProcess,
  answers: number,
): Promise<{ readonly worker: WorkerProcess; readonly firstRequestSeconds: number }> {
  await answeredAtLeast(endpoint, answers);
  await worker.kill();
  const { requests } = await until('the endpoint is quiet', async () => {
    const before = await endpoint.counts();
    await sleep(300);
    const after = await endpoint.counts();
    return before.requests === after.requests ? after : null;
  });
  const restartedMs = Date.now();
  const next = await stack.startWorker(['data']);
  await until('requests go on', async () => (await endpoint.counts()).requests > requests);
  return { worker: next, firstRequestSeconds: (Date.now() - restartedMs) / 1000 };
}

export async function budgetOf(stack: TestStack, workflowId: string): Promise<BudgetState> {
  return await stack.client.workflow.getHandle(workflowId).query<BudgetState>('budget');
}
