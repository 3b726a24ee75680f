/**
 * Fine-tuning as a user runs it, on a tiny model of real shape: what a finished training leaves, the user's hand on a
 * running one, and the answers to what goes wrong with it. What hosts do that go is in trainFaults.test.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkpointNowUpdateName,
  pauseUpdateName,
  resumeUpdateName,
  stopEarlyUpdateName,
  type FineTuneResult,
  type TrainingState,
} from '../../src/contract/workflows.ts';
import { until } from './stack.ts';
import { startHost, type HostOptions, type TrainHost } from './trainHost.ts';
import { INTERVAL, publishedSteps, startTrainStack, STEPS, type TrainStack } from './trainSetup.ts';

/** Several times what it takes on two free cores. */
const SCENARIO_MS = 480_000;
const MAX_PAYLOAD_BYTES = 8192;

let stack: TrainStack;
/** Of the queue without a class: one trains, one is free. */
let common: readonly TrainHost[] = [];
const hosts: TrainHost[] = [];

async function host(options: HostOptions): Promise<TrainHost> {
  const started = await startHost(stack, options);
  hosts.push(started);
  return started;
}

const trainersOf = async (of: readonly TrainHost[]): Promise<number[]> =>
  (await Promise.all(of.map(async (each) => await each.trainers()))).flat();
const update = async (id: string, name: string): Promise<TrainingState> =>
  await stack.client.workflow.getHandle(id).executeUpdate<TrainingState, []>(name);
const noteOf = async (id: string): Promise<string> => (await stack.progress(id)).stages[0]?.note ?? '';
const history = async (id: string): Promise<string> =>
  await stack.temporal('workflow', 'show', '--workflow-id', id, '--output', 'json');

beforeAll(async () => {
  stack = await startTrainStack();
  common = await Promise.all([host({ name: 'common-1' }), host({ name: 'common-2' })]);
}, 240_000);
afterAll(async () => {
  for (const each of hosts) await each.close();
  await stack?.stop();
});

describe('fineTune', () => {
  let whole: FineTuneResult;

  it(
    'lowers the held-out loss and publishes adapter, merged model and metrics; a second run waits for them',
    async () => {
      const guard = { rows: 'embedded' };
      await stack.train('whole', { guard }, 'always');
      await until('the first trains', async () => (await trainersOf(common)).length === 1);
      await stack.train('second', { guard }, 'always');
      await until('the second run waits', async () => (await noteOf('second')).includes('waits for whole'));
      whole = await stack.result('whole');
      expect(whole).toMatchObject({ steps: STEPS, reused: false, resumedFromSteps: [], stepsRepeated: 0 });
      expect(whole.evalLossAfter).toBeLessThan(whole.evalLossBefore ?? 0);
      expect(whole.guardLossAfter).not.toBe(whole.guardLossBefore);
      expect(whole.guardLossBefore).toBeGreaterThan(0);
      const { files, facts } = await stack.store.artifacts.readByUri(whole.artifact.uri);
      const paths = files.map(({ path }) => path);
      for (const path of [
        'adapter/adapter_model.safetensors',
        'merged/model.safetensors',
        'metrics/metrics.jsonl',
      ])
        expect(paths).toContain(path);
      expect(paths.some((path) => path.startsWith('metrics/tensorboard/'))).toBe(true);
      expect(facts['logitsMaxAbsDiff']).toBeGreaterThan(0);
      expect(facts['lossCurve']).toHaveLength(STEPS);

      const second = await stack.result('second');
      expect(second).toMatchObject({ reused: true, artifact: whole.artifact });
      expect(common.flatMap(({ events }) => events.of('started'))).toHaveLength(1);
      expect(await trainersOf(common)).toEqual([]);
    },
    SCENARIO_MS,
  );

  it('starts no trainer for a model that is there already', async () => {
    const before = await Array.fromAsync(stack.store.objects.list('trainings/'));
    await stack.train('again', { guard: { rows: 'embedded' } }, 'always');
    const again = await stack.result('again');
    expect(again).toMatchObject({ reused: true, artifact: whole.artifact });
    const after = await Array.fromAsync(stack.store.objects.list('trainings/'));
    expect(before.length).toBeGreaterThan(0);
    expect(after.map(({ key, etag }) => [key, etag])).toEqual(before.map(({ key, etag }) => [key, etag]));
  }, 60_000);

  it('leaves a short history without payloads', async () => {
    for (const id of ['whole', 'second']) {
      const { events } = await stack.client.workflow.getHandle(id).fetchHistory();
      const largest = Math.max(...(events ?? []).map((event) => JSON.stringify(event).length));
      expect(largest).toBeLessThan(MAX_PAYLOAD_BYTES);
      expect(events?.length).toBeLessThan(100);
    }
  });

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
      await stack.train(id, change);
      await expect(stack.result(id)).rejects.toThrow('Workflow execution');
      for (const word of [...words, 'Remedy:']) expect(await history(id)).toContain(word);
    },
    60_000,
  );
});

describe.concurrent('a running training', () => {
  it(
    'obeys its user: saves now, pauses and frees the GPU, goes on, stops with the best checkpoint',
    async () => {
      const gpu = { class: 'obeys' };
      const one = await host({ name: 'obeys', gpuClass: gpu.class });
      // Checkpoints only when asked for; far more steps than are trained.
      await stack.train('obeys', { gpu, maxSteps: 1000, epochs: 100, checkpointEverySteps: 1000 });
      await one.events.first({ name: 'step' });
      const saved = await update('obeys', checkpointNowUpdateName);
      expect(await publishedSteps(stack, 'obeys')).toEqual([saved.lastCheckpoint]);

      const paused = await update('obeys', pauseUpdateName);
      expect(paused.state).toBe('paused');
      expect(await one.trainers()).toEqual([]);
      expect((await publishedSteps(stack, 'obeys')).at(-1)).toBe(one.lastStep());
      expect((await stack.progress('obeys')).state).toBe('paused');
      // The slot is free for another, whose cancellation leaves nothing running.
      const beforeOther = one.events.all.length;
      await stack.train('other', { gpu, seed: 4, checkpointEverySteps: 1000 });
      await one.events.first({ name: 'step', fits: (event) => one.events.all.indexOf(event) >= beforeOther });
      await stack.temporal('workflow', 'cancel', '--workflow-id', 'other');
      await expect(stack.result('other')).rejects.toThrow('Workflow execution');
      expect((await stack.client.workflow.getHandle('other').describe()).status.name).toBe('CANCELLED');
      expect(await one.trainers()).toEqual([]);

      const [resumedFrom] = (await publishedSteps(stack, 'obeys')).slice(-1);
      const beforeResume = one.events.all.length;
      await update('obeys', resumeUpdateName);
      const isLater = (event: (typeof one.events.all)[number]): boolean =>
        one.events.all.indexOf(event) >= beforeResume;
      const started = await one.events.first({ name: 'started', fits: isLater });
      expect(started.resumedFromStep).toBe(resumedFrom);
      const { step } = await one.events.first({ name: 'step', fits: isLater });
      expect(step).toBe((resumedFrom ?? 0) + 1);
      await update('obeys', stopEarlyUpdateName);
      const result = await stack.result('obeys');
      expect(result).toMatchObject({ preemptions: 0, stepsRepeated: 0 });
      expect(result.steps).toBe(result.stoppedEarlyAtStep);
      expect(result.steps).toBeGreaterThanOrEqual(resumedFrom ?? 0);
      expect(result.steps).toBeLessThan(1000);
      expect(await one.trainers()).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    'waits for a GPU of its class, and moves to the other class after so many preemptions',
    async () => {
      const gpu = { class: 'spot', onDemandAfter: 1, onDemandClass: 'steady' };
      await stack.train('moves', { gpu });
      await until('it says what it waits for', async () =>
        (await noteOf('moves')).includes('GPU worker of class spot'),
      );
      const spot = await host({ name: 'spot', gpuClass: 'spot' });
      await spot.events.first({ name: 'step', fits: ({ step }) => step > 3 });
      expect(await spot.worker.stop()).toBe(0);
      const lastStep = spot.lastStep();
      expect(await publishedSteps(stack, 'moves')).toEqual([lastStep]);
      await until(
        'it says where it waits',
        async () =>
          (await noteOf('moves')).includes('lost') || (await noteOf('moves')).includes('taken away'),
      );
      const steady = await host({ name: 'steady', gpuClass: 'steady' });
      const result = await stack.result('moves');
      expect(result).toMatchObject({ preemptions: 1, stepsRepeated: 0, resumedFromSteps: [lastStep] });
      expect(steady.events.of('started')).toHaveLength(1);
    },
    SCENARIO_MS,
  );

  it(
    'starts a crashed trainer again, and one that ran out of memory with smaller passes',
    async () => {
      const gpu = { class: 'breaks' };
      const one = await host({ name: 'breaks', gpuClass: gpu.class });
      await stack.train('breaks', { gpu });
      await until(
        'a checkpoint is published',
        async () => (await publishedSteps(stack, 'breaks')).length > 0,
        240_000,
      );
      process.kill(await one.trainer(), 'SIGKILL');
      const second = await one.events.first({
        name: 'started',
        fits: (event) => event !== one.events.of('started')[0],
      });
      // The kernel refuses further memory, as an address space that is full does.
      await promisify(execFile)('prlimit', ['--pid', String(await one.trainer()), '--as=1000000000']);
      const third = await one.events.first({ name: 'started', fits: ({ seenMs }) => seenMs > second.seenMs });
      const result = await stack.result('breaks');
      expect(second.resumedFromStep).toBeGreaterThanOrEqual(INTERVAL);
      expect(third.microBatchRows).toBe(2);
      expect(result).toMatchObject({ preemptions: 0, microBatchRows: 2, steps: STEPS });
      const shown = await history('breaks');
      for (const code of ['TRAINER_CRASHED', 'TRAINER_OUT_OF_MEMORY']) expect(shown).toContain(code);
    },
    SCENARIO_MS,
  );

  it(
    'goes back to the last good checkpoint with a smaller learning rate when the loss leaps',
    async () => {
      const gpu = { class: 'leaps' };
      const one = await host({ name: 'leaps', gpuClass: gpu.class });
      // Every weight at a rate that rises to 1: sooner or later a batch is a tenth worse than usual.
      const wild = { method: 'full', learningRate: 1, warmupShare: 0.2, maxSteps: 300, epochs: 100 };
      const divergence = { spikeFactor: 1.1, patienceSteps: 1, maxRollbacks: 9, learningRateFactor: 0.001 };
      await stack.train('leaps', { ...wild, divergence, gpu, checkpointEverySteps: 5 });
      const { step } = await one.events.first({ name: 'diverging' });
      const rolledBack = await one.events.first({
        name: 'started',
        fits: ({ learningRateScale }) => learningRateScale < 1,
      });
      expect(rolledBack.learningRateScale).toBeCloseTo(0.001);
      expect(rolledBack.resumedFromStep).toBeLessThan(step);
      expect(rolledBack.resumedFromStep).toBeGreaterThan(0);
      await update('leaps', stopEarlyUpdateName);
      const result = await stack.result('leaps');
      expect(result.rollbacks).toBeGreaterThan(0);
      expect(await history('leaps')).toContain('TRAINING_DIVERGED');
    },
    SCENARIO_MS,
  );

  it(
    'ends with the likely cause when it is lost three times before its first checkpoint',
    async () => {
      const gpuClass = 'doomed';
      await stack.train('doomed', { gpu: { class: gpuClass }, checkpointEverySteps: 1000 });
      let stateDir: string | undefined;
      for (const name of ['doomed-1', 'doomed-2', 'doomed-3']) {
        const doomed = await host({ name, gpuClass, ...(stateDir === undefined ? {} : { stateDir }) });
        ({ stateDir } = doomed);
        await doomed.trainer();
        await doomed.lose();
      }
      // Tells the server that its task was lost, as the others did.
      await host({ name: 'doomed-4', gpuClass, ...(stateDir === undefined ? {} : { stateDir }) });
      await expect(stack.result('doomed')).rejects.toThrow('Workflow execution');
      const shown = await history('doomed');
      expect(shown).toContain('3 attempts in a row were lost without notice');
      for (const cause of ['out of memory', 'crash', 'Remedy:']) expect(shown).toContain(cause);
    },
    SCENARIO_MS,
  );
});
