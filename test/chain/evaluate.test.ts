/**
 * An evaluation as a user starts it: by the plain Temporal CLI, of a model behind an endpoint whose answers are known,
 * so that every figure is known too; with kills of the grading worker, reuse, rescoring, and what cannot be graded.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import type { BenchmarkTaskRow } from '../../src/contract/rows.ts';
import { summarySchema, type Summary } from '../../src/contract/summary.ts';
import { evaluateResultSchema, type EvaluateResult } from '../../src/contract/workflows.ts';
import { prepareHost } from '../../src/activities/sandboxHost.ts';
import { readWorkerConfig } from '../../src/workers/config.ts';
import { startS3Tap, type S3Tap } from './s3Tap.ts';
import { startScriptedModel, type ScriptedModel } from './scriptedModel.ts';
import { startTestStack, until, type TestStack, type WorkerProcess } from './stack.ts';

const evaluate = {
  benchmarks: ['suite', 'guard'],
  languages: ['python'],
  promptVariants: ['none', 'generic'],
  samplesPerTask: 2,
  batchSamples: 16,
  gradeShardSamples: 24,
  sampling: { temperature: 0.5, seed: 3 },
  analysers: ['bandit'],
};

let stack: TestStack;
let model: ScriptedModel;
let tap: S3Tap;
let sandboxWorker: WorkerProcess;
let tasks: { readonly suite: readonly BenchmarkTaskRow[]; readonly guard: readonly BenchmarkTaskRow[] };

/** The suite's own solution to the first sample of a task, nonsense to the others; nonsense to the generic reminder. */
async function knownAnswers(): Promise<(message: string, seed: number) => string | null> {
  const scratch = await mkdtemp(join(tmpdir(), 'secpi-known-'));
  const host = await prepareHost({
    paths: readWorkerConfig({ ...process.env, SECPI_STATE: scratch }).paths,
    environment: {},
  });
  try {
    const settings = evaluateSchema.parse(evaluate);
    const [suite, guard] = await Promise.all([
      host.driver('suite', settings),
      host.driver('guard', settings),
    ]);
    const python = (all: readonly BenchmarkTaskRow[]) => all.filter(({ language }) => language === 'python');
    tasks = { suite: python(suite.tasks), guard: python(guard.tasks) };
    const known = new Map<string, string>();
    for (const driver of [suite, guard])
      for (const { taskId, prompts } of driver.tasks)
        known.set(prompts.none, (await driver.reference(taskId)) ?? '');
    return (message, seed) => {
      const reference = known.get(message);
      if (reference === undefined) return 'I would rather not.';
      return seed === evaluate.sampling.seed ? reference : '```python\nraise SystemExit(0)\n```';
    };
  } finally {
    await host.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

beforeAll(async () => {
  stack = await startTestStack();
  model = await startScriptedModel(await knownAnswers());
  tap = await startS3Tap(stack.s3.port);
  await stack.startWorker(['control', 'data']);
  sandboxWorker = await startSandboxWorker();
}, 300_000);
afterAll(async () => {
  await stack?.stop();
  await tap?.close();
  await model?.close();
});

async function startSandboxWorker(): Promise<WorkerProcess> {
  return await stack.startWorker(['sandbox'], { AWS_ENDPOINT_URL_S3: tap.endpoint });
}

function input(changes: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) {
  return {
    version: 1,
    endpoint: {
      baseUrl: model.baseUrl,
      model: 'scripted',
      priceUsdPerMillionTokens: { prompt: 1, completion: 2 },
    },
    label: 'scripted',
    evaluate: { ...evaluate, ...changes },
    ...rest,
  };
}

async function run(id: string, changes: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) {
  await stack.startByCli('evaluateModel', id, input(changes, rest));
  return await resultOf(id);
}

async function resultOf(id: string): Promise<EvaluateResult> {
  return evaluateResultSchema.parse(await stack.client.workflow.getHandle(id).result());
}

async function summaryOf({ report }: EvaluateResult): Promise<Summary> {
  const key = stack.store.objects.keyOf(report?.summary.uri ?? '') ?? '';
  const found = await stack.store.objects.get(key);
  return summarySchema.parse(JSON.parse(found?.bytes.toString() ?? ''));
}

const verdictsWritten = () =>
  tap.seen.filter(({ method, key }) => method === 'PUT' && key.startsWith('verdicts/')).map(({ key }) => key);

describe('an evaluation', () => {
  let first: EvaluateResult;
  let summary: Summary;

  it('is killed in the middle of grading, and grades no finished sample again', async () => {
    await stack.startByCli('evaluateModel', 'first', input());
    const finished = await until(
      'samples are being graded',
      async () => {
        const { done, note } = (await stack.progress('first')).stages[0] ?? { done: 0, note: '' };
        const keys = verdictsWritten();
        return note.startsWith('grading') &&
          done >= 0 &&
          keys.length > tasks.suite.length + tasks.guard.length + 6
          ? keys
          : null;
      },
      240_000,
    );
    await sandboxWorker.kill();
    const before = tap.seen.length;
    sandboxWorker = await startSandboxWorker();
    first = await resultOf('first');
    const again = tap.seen
      .slice(before)
      .filter(({ method, key }) => method === 'PUT' && finished.includes(key));
    expect(again).toEqual([]);
    expect(new Set(verdictsWritten()).size).toBe(verdictsWritten().length);
    summary = await summaryOf(first);
  }, 400_000);

  it('gives the figures that its answers have', () => {
    const [suite, guard] = summary.benchmarks;
    expect([suite?.name, guard?.name]).toEqual(['suite', 'guard']);
    expect(suite?.models.base).toMatchObject({
      func: { value: 0.5, n: tasks.suite.length * 2 },
      secure: { value: 0.5 },
      funcSec: { value: 0.5 },
      tasks: tasks.suite.length,
      missing: 0,
      unknown: 0,
    });
    expect(guard?.measures).toBe('function');
    expect(guard?.models.base.func).toMatchObject({ value: 0.5, n: tasks.guard.length * 2 });
    expect(suite?.models.base.perVariant.map(({ name, func }) => [name, func.value])).toEqual([
      ['none', 0.5],
      ['generic', 0],
    ]);
    expect(suite?.references).toEqual({ tasks: tasks.suite.length, repeats: 1, failed: [], flaky: [] });
    expect(first.funcSec?.value).toBe(0.5);
    expect(first.benchmarks.map(({ name, funcSec }) => [name, funcSec === null])).toEqual([
      ['suite', false],
      ['guard', true],
    ]);
  });

  it('pays each answer once, and says what it cost', () => {
    const asked = (tasks.suite.length + tasks.guard.length) * 2 * 2;
    expect(model.requests).toBe(asked);
    expect(first.usage.requests).toBe(asked);
    expect(first.usage.costUsd).toBeCloseTo((asked * (10 * 1 + 20 * 2)) / 1e6, 9);
  });

  it('is reused whole: nothing is asked, nothing is graded', async () => {
    const [requests, written] = [model.requests, verdictsWritten().length];
    const second = await run('second');
    expect(second.reused).toBe(true);
    expect(second.artifact.contentSha256).toBe(first.artifact.contentSha256);
    expect([model.requests, verdictsWritten().length]).toEqual([requests, written]);
  }, 120_000);

  it('is the same when graded anew without a kill', async () => {
    const anew = await run('anew', {}, { reuse: 'never' });
    expect(anew.benchmarks.map(({ artifact }) => artifact.contentSha256)).toEqual(
      first.benchmarks.map(({ artifact }) => artifact.contentSha256),
    );
    expect(anew.reused).toBe(false);
    // Under a fingerprint of its own, but with answers that are paid already.
    expect(anew.usage.ledgerHits).toBe(first.usage.requests);
  }, 400_000);

  it('is scored again without being generated again', async () => {
    const requests = model.requests;
    const rescored = await run('rescored', { benchmarks: ['suite'], limits: { wallSeconds: 19 } });
    expect(rescored.benchmarks[0]).toMatchObject({ generationReused: true, reused: false });
    expect(rescored.artifact.contentSha256).toBe(first.artifact.contentSha256);
    expect(model.requests).toBe(requests);
  }, 300_000);
});

describe('what cannot be graded', () => {
  it('is refused at once, with the field and a remedy', async () => {
    const failure = await run('refused', { benchmarks: ['suite', 'baxbench'] }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failure as WorkflowFailedError;
    expect(String(cause)).toMatch(/BENCHMARK_UNAVAILABLE.*BAXBENCH_HOME|BAXBENCH_HOME/s);
    expect(model.requests).toBeGreaterThan(0);
  }, 120_000);

  it('is left out where the recipe allows it, and the report says so', async () => {
    const result = await run('skipping', {
      benchmarks: ['suite', 'baxbench'],
      skipUnavailable: ['baxbench'],
      promptVariants: ['none'],
      samplesPerTask: 1,
    });
    const { benchmarks, skipped } = await summaryOf(result);
    expect(benchmarks.map(({ name }) => name)).toEqual(['suite']);
    expect(skipped[0]?.name).toBe('baxbench');
    expect(skipped[0]?.reason).toContain('No checkout of BaxBench');
  }, 300_000);
});
