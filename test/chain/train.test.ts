/** Fine-tuning as a user runs it, on a tiny model of real shape: killed, cancelled, reused; only S3 survives. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FineTuneResult, StageResult, WorkflowType } from '../../src/contract/workflows.ts';
import {
  findProcesses,
  isAlive,
  makeTinyModel,
  quickRecipe,
  startTestStack,
  until,
  type TestStack,
  type WorkerProcess,
} from './stack.ts';

let stack: TestStack;
let gpuWorker: WorkerProcess;
let traces = '';
let finetune: Record<string, unknown> = {};

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data']);
  gpuWorker = await stack.startWorker(['gpu']);
  const { dataset, filter, distill } = await quickRecipe();
  const filtered = (await run('filterDataset', 'filter', { version: 1, dataset, filter })) as StageResult;
  traces = (
    (await run('distillTraces', 'distil', {
      version: 1,
      filtered: filtered.artifact.uri,
      // No sandbox runs here.
      distill: { ...distill, oracles: { tests: 'off' } },
    })) as StageResult
  ).artifact.uri;
  finetune = {
    model: { uri: await makeTinyModel(stack.dir), license: 'none' },
    lora: { rank: 4, alpha: 8 },
    epochs: 20,
    maxSteps: 120,
    batchRows: 4,
    microBatchRows: 4,
    learningRate: 0.001,
    maxSequenceTokens: 2048,
    precision: 'fp32',
    checkpointEverySteps: 5,
    seed: 3,
  };
}, 240_000);
afterAll(async () => await stack?.stop());

async function run(type: WorkflowType, id: string, input: unknown): Promise<unknown> {
  await stack.startByCli(type, id, input);
  return await stack.client.workflow.getHandle(id).result();
}

/** Trainers of this stack: their command lines name a file in its state folder. */
const trainers = async (): Promise<number[]> => await findProcesses('secpi_trainer train', stack.dir);

/** Steps of the checkpoints that the store lists for any training. */
async function publishedSteps(workflowId: string): Promise<number[]> {
  for await (const { key } of stack.store.objects.list('trainings/')) {
    if (!key.endsWith('/head.json')) continue;
    const head = JSON.parse((await stack.store.objects.get(key))?.bytes.toString() ?? '{}') as {
      owner: { workflowId: string };
      checkpoints: { step: number }[];
    };
    if (head.owner.workflowId === workflowId) return head.checkpoints.map(({ step }) => step);
  }
  return [];
}

describe('fineTune', () => {
  let whole: FineTuneResult;

  it('lowers the held-out loss, publishes adapter and merged model, and reports its steps', async () => {
    whole = (await run('fineTune', 'whole', { version: 1, traces, finetune })) as FineTuneResult;
    expect(whole.steps).toBe(120);
    expect(whole.reused).toBe(false);
    expect(whole.resumedFromSteps).toEqual([]);
    expect(whole.evalLossAfter).toBeLessThan(whole.evalLossBefore ?? 0);
    const manifest = await stack.store.artifacts.readByUri(whole.artifact.uri);
    const paths = manifest.files.map(({ path }) => path);
    expect(paths).toContain('adapter/adapter_model.safetensors');
    expect(paths).toContain('merged/model.safetensors');
    expect(manifest.facts['logitsMaxAbsDiff']).toBeGreaterThan(0);
    expect((manifest.facts['lossCurve'] as unknown[]).length).toBe(120);
    expect(await trainers()).toEqual([]);
  }, 300_000);

  it('starts no trainer for a model that is there already', async () => {
    const known = await stack.store.objects.list('trainings/')[Symbol.asyncIterator]().next();
    const before = await Array.fromAsync(stack.store.objects.list('trainings/'));
    const again = (await run('fineTune', 'again', { version: 1, traces, finetune })) as FineTuneResult;
    expect(again.reused).toBe(true);
    expect(again.artifact).toEqual(whole.artifact);
    const after = await Array.fromAsync(stack.store.objects.list('trainings/'));
    expect(known.done).toBe(false);
    expect(after.map(({ key, etag }) => [key, etag])).toEqual(before.map(({ key, etag }) => [key, etag]));
  }, 60_000);

  it('resumes on another worker after SIGKILL in the middle, to bit-identical weights', async () => {
    await stack.startByCli('fineTune', 'killed', { version: 1, traces, finetune, reuse: 'never' });
    const published = await until(
      'a checkpoint is in the store',
      async () => {
        const steps = await publishedSteps('killed');
        return steps.length > 0 && steps;
      },
      120_000,
    );
    const [trainer] = await trainers();
    expect(trainer).toBeDefined();
    await gpuWorker.kill();
    await until('the orphaned trainer ended by itself', async () => !isAlive(trainer ?? 0), 10_000);
    const lastStep = Math.max(...(await publishedSteps('killed')));
    expect(lastStep).toBeGreaterThanOrEqual(Math.max(...published));
    expect(lastStep).toBeLessThan(120); // it died in the middle, not at the end

    gpuWorker = await stack.startWorker(['gpu'], { SECPI_STATE: join(stack.dir, 'another-host') });
    const result = (await stack.client.workflow.getHandle('killed').result()) as FineTuneResult;
    expect(result.preemptions).toBe(1);
    expect(result.resumedFromSteps).toEqual([lastStep]);
    expect(result.artifact.uri).not.toBe(whole.artifact.uri);
    expect(result.artifact.contentSha256).toBe(whole.artifact.contentSha256);
    const curve = async ({ artifact }: FineTuneResult): Promise<unknown> =>
      (await stack.store.artifacts.readByUri(artifact.uri)).facts['lossCurve'];
    expect(await curve(result)).toEqual(await curve(whole));
  }, 300_000);

  it('saves on SIGTERM and hands over: no step is repeated', async () => {
    await stack.startByCli('fineTune', 'preempted', {
      version: 1,
      traces,
      finetune: { ...finetune, checkpointEverySteps: 1000 },
      reuse: 'never',
    });
    await until(
      'the trainer steps',
      async () =>
        (await stack.progress('preempted')).step !== null &&
        ((await stack.progress('preempted')).step ?? 0) > 3,
      120_000,
    );
    expect(await publishedSteps('preempted')).toEqual([]);
    await gpuWorker.stop();
    const [saved] = await publishedSteps('preempted');
    expect(saved).toBeGreaterThan(3);
    expect(await trainers()).toEqual([]);
    gpuWorker = await stack.startWorker(['gpu'], { SECPI_STATE: join(stack.dir, 'third-host') });
    const result = (await stack.client.workflow.getHandle('preempted').result()) as FineTuneResult;
    expect(result.resumedFromSteps).toEqual([saved]);
    expect(result.preemptions).toBe(1);
    expect(result.artifact.contentSha256).toBe(whole.artifact.contentSha256);
  }, 300_000);

  it('tries a crashed trainer again, and shows it as an attempt', async () => {
    await stack.startByCli('fineTune', 'crashed', { version: 1, traces, finetune, reuse: 'never' });
    await until(
      'a checkpoint is in the store',
      async () => (await publishedSteps('crashed')).length > 0,
      120_000,
    );
    const [trainer] = await trainers();
    process.kill(trainer ?? 0, 'SIGKILL');
    const result = (await stack.client.workflow.getHandle('crashed').result()) as FineTuneResult;
    expect(result.preemptions).toBe(0);
    expect(result.resumedFromSteps.length).toBe(1);
    expect(result.artifact.contentSha256).toBe(whole.artifact.contentSha256);
    const history = await stack.temporal('workflow', 'show', '--workflow-id', 'crashed', '--output', 'json');
    expect(history).toContain('TRAINER_CRASHED');
    expect(
      history.match(/"ActivityTaskScheduled"|EVENT_TYPE_ACTIVITY_TASK_SCHEDULED/g)?.length,
    ).toBeGreaterThanOrEqual(3);
  }, 300_000);

  it('leaves nothing running after a cancel', async () => {
    await stack.startByCli('fineTune', 'cancelled', {
      version: 1,
      traces,
      finetune: { ...finetune, seed: 4 },
    });
    await until('the trainer runs', async () => (await trainers()).length > 0, 60_000);
    await stack.temporal('workflow', 'cancel', '--workflow-id', 'cancelled');
    await expect(stack.client.workflow.getHandle('cancelled').result()).rejects.toThrow('Workflow execution');
    expect(await trainers()).toEqual([]);
    expect((await stack.client.workflow.getHandle('cancelled').describe()).status.name).toBe('CANCELLED');
  }, 120_000);

  it.each([
    [
      'a model folder that is missing',
      { model: { uri: '/no/such/model' } },
      ['MODEL_NOT_FOUND', 'finetune.model.uri', '/no/such/model'],
    ],
    [
      'a hub model without revision',
      { model: { uri: 'hf:owner/name' } },
      ['RECIPE_INVALID', 'finetune.model.revision'],
    ],
    [
      'more memory than there is',
      { maxSequenceTokens: 2_000_000_000 },
      ['RECIPE_INVALID', 'finetune.maxSequenceTokens'],
    ],
  ])(
    'refuses %s',
    async (name, change, words) => {
      const id = `refused-${name.replaceAll(' ', '-')}`;
      await stack.startByCli('fineTune', id, { version: 1, traces, finetune: { ...finetune, ...change } });
      await expect(stack.client.workflow.getHandle(id).result()).rejects.toThrow('Workflow execution');
      const shown = await stack.temporal('workflow', 'show', '--workflow-id', id, '--output', 'json');
      for (const word of [...words, 'Remedy:']) expect(shown).toContain(word);
    },
    60_000,
  );
});
