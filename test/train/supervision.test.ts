/** One attempt and what can happen to it: commands, notices, crashes, guards. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../chain/stack.ts';
import {
  expectedWeights,
  fingerprintOf,
  openLab,
  startAttempt,
  trainersUnder,
  weightsOf,
  type FakeTrainer,
  type Lab,
  type RunningAttempt,
} from './lab.ts';
import { trainingHome } from '../../src/services/train/trainingHome.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab?.stop());

async function attempt(
  name: string,
  options: {
    readonly fake?: FakeTrainer;
    readonly settings?: Record<string, unknown>;
    readonly probes?: Parameters<typeof startAttempt>[1];
    readonly wanted?: Parameters<typeof startAttempt>[2];
    readonly rollbacks?: number;
  } = {},
): Promise<RunningAttempt> {
  const fingerprint = fingerprintOf(name);
  const epoch = await lab.claim(fingerprint);
  const { probes, wanted, ...rest } = options;
  return await startAttempt(lab.plan({ fingerprint, epoch, ...rest }), probes, wanted);
}

const steps = async (name: string): Promise<number[]> =>
  (await lab.store.trainings.list(fingerprintOf(name))).map(({ step }) => step);
const reached = (running: RunningAttempt): number =>
  Math.max(0, ...running.figures.flatMap(({ step }) => step ?? []));
const atStep = async (running: RunningAttempt, step: number): Promise<void> => {
  await until(`step ${step}`, async () => reached(running) >= step, 20_000);
};
const isGone = async (name: string): Promise<void> => {
  const { dir } = trainingHome(lab.trainingsDir(), fingerprintOf(name));
  expect(await trainersUnder(dir)).toEqual([]);
  expect(existsSync(dir)).toBe(false);
};

describe('an attempt', () => {
  it('trains to the end, tells its figures, and leaves nothing after release', async () => {
    const running = await attempt('whole', { fake: { STEP_MS: 20 } });
    const end = await running.end;
    expect(await weightsOf(end)).toBe(expectedWeights(40));
    expect(running.figures.at(-1)).toEqual({ lastCheckpoint: 40 });
    const last = running.figures.filter(({ step }) => step !== undefined).at(-1);
    expect(last).toMatchObject({ step: 40, totalSteps: 40, secondsLeft: 0, peakShare: null });
    // 100 tokens a step of 20 ms, and what the machine adds.
    expect(last?.tokensPerSecond).toBeGreaterThan(100);
    expect(last?.tokensPerSecond).toBeLessThanOrEqual(5000);
    const [before, after] = running.resumes;
    expect(before).toMatchObject({ resumedFromStep: 0, adopted: false, firstStepMs: null, spawnedMs: null });
    expect(after).toMatchObject({ resumedFromStep: 0, adopted: false, importSeconds: 0.1 });
    expect(after?.firstStepMs).toBeGreaterThanOrEqual(after?.spawnedMs ?? Number.NaN);
    expect(after?.spawnedMs).toBeGreaterThanOrEqual(after?.attemptStartedMs ?? Number.NaN);
    expect(end).toMatchObject({
      status: 'trained',
      outcome: { stoppedEarlyAtStep: null, files: { trainRows: 4, evalRows: 0 } },
    });
    if (end.status === 'trained') await end.outcome.release();
    await isGone('whole');
  });

  it('pauses: saves at the end of its step, and a later one goes on to the same weights', async () => {
    const running = await attempt('paused', { fake: { STEP_MS: 50 } });
    await atStep(running, 3);
    running.want('pause');
    const end = await running.end;
    expect(end.status).toBe('paused');
    const [saved] = await steps('paused');
    expect(end).toEqual({ status: 'paused', step: saved });
    expect(saved).toBeGreaterThanOrEqual(3);
    expect(reached(running)).toBe(saved);
    await isGone('paused');

    const waiting = await attempt('paused', { wanted: 'pause' });
    expect(await waiting.end).toEqual(end);
    expect(waiting.resumes).toEqual([]);

    const next = await attempt('paused');
    expect(await weightsOf(await next.end)).toBe(expectedWeights(40));
    expect(next.resumes[0]).toMatchObject({ resumedFromStep: saved, adopted: false });
  });

  it('pauses before the trainer has begun', async () => {
    const running = await attempt('paused early', { fake: { LOAD_MS: 20_000 } });
    await until('the trainer runs', async () => (await trainersUnder(lab.trainingsDir())).length > 0, 20_000);
    running.want('pause');
    expect(await running.end).toEqual({ status: 'paused', step: 0 });
    await isGone('paused early');
  });

  it('saves on request, while it trains on', async () => {
    const settings = { checkpointEverySteps: 1000 };
    const running = await attempt('asked', { fake: { STEP_MS: 50 }, settings });
    await atStep(running, 2);
    running.checkpointNow();
    await until('a checkpoint is safe', async () => (await steps('asked')).length > 0, 10_000);
    expect((await steps('asked'))[0]).toBeLessThan(40);
    expect(await weightsOf(await running.end)).toBe(expectedWeights(40));
    expect(running.resumes.length).toBe(2);
  });

  it('stops early with the weights of the best checkpoint', async () => {
    const settings = { evalEverySteps: 5, checkpointEverySteps: 5, keepCheckpoints: 100, maxSteps: 400 };
    const running = await attempt('stopped', { fake: { STEP_MS: 50 }, settings });
    await until('three are safe', async () => (await steps('stopped')).length >= 3, 20_000);
    running.want('stop');
    const end = await running.end;
    const listed = await lab.store.trainings.list(fingerprintOf('stopped'));
    const best = listed
      .filter(({ evalLoss }) => evalLoss !== null)
      .toSorted((a, b) => (a.evalLoss ?? 0) - (b.evalLoss ?? 0))[0];
    expect(best).toBeDefined();
    expect(end).toMatchObject({ status: 'trained', outcome: { stoppedEarlyAtStep: best?.step } });
    expect(await weightsOf(end)).toBe(expectedWeights(best?.step ?? 0));
    if (end.status === 'trained') await end.outcome.release();
    await isGone('stopped');
  });

  it('cannot stop early before anything is trained', async () => {
    const running = await attempt('stopped at once', { wanted: 'stop' });
    await expect(running.end).rejects.toMatchObject({ code: 'NOTHING_TRAINED' });
    await isGone('stopped at once');
  });

  it('leaves nothing after a cancel', async () => {
    const running = await attempt('cancelled', { fake: { STEP_MS: 50 } });
    await atStep(running, 2);
    running.abort('cancelled');
    await expect(running.end).rejects.toThrow('aborted: cancelled');
    await isGone('cancelled');
  });
});

describe('a notice', () => {
  it('saves and hands over when that fits: no step is repeated', async () => {
    const settings = { checkpointEverySteps: 1000 };
    const running = await attempt('notice', { fake: { STEP_MS: 50 }, settings });
    await atStep(running, 3);
    running.abort('notice', 20_000);
    await expect(running.end).rejects.toMatchObject({
      code: 'PREEMPTED',
      problem: expect.stringMatching(/is in the store/),
    });
    expect(running.notes.some((note) => note.startsWith('notice: saving'))).toBe(true);
    expect(await steps('notice')).toEqual([reached(running)]);
    await isGone('notice');
  });

  it('leaves at once when a save would not fit', async () => {
    const settings = { checkpointEverySteps: 5 };
    const running = await attempt('short notice', { fake: { STEP_MS: 50, SAVE_MS: 3000 }, settings });
    await until('one is safe', async () => (await steps('short notice')).length > 0, 20_000);
    const told = performance.now();
    running.abort('notice', 2000);
    await expect(running.end).rejects.toMatchObject({ code: 'PREEMPTED' });
    expect(performance.now() - told).toBeLessThan(2000);
    expect(running.notes.some((note) => note.startsWith('notice: leaving at once'))).toBe(true);
    await isGone('short notice');
  });

  it('before the trainer has begun leaves nothing', async () => {
    const running = await attempt('early notice', { fake: { LOAD_MS: 20_000 } });
    running.abort('notice', 20_000);
    await expect(running.end).rejects.toMatchObject({ code: 'PREEMPTED' });
    const loading = await attempt('early notice', { fake: { LOAD_MS: 20_000 } });
    const { dir } = trainingHome(lab.trainingsDir(), fingerprintOf('early notice'));
    await until('the trainer runs', async () => (await trainersUnder(dir)).length > 0, 20_000);
    loading.abort('notice', 20_000);
    await expect(loading.end).rejects.toMatchObject({ code: 'PREEMPTED' });
    expect(loading.notes).toContain('notice: leaving at once, there is nothing to save');
    await isGone('early notice');
  });

  it('ends a save that takes longer than it ever did, before the machine goes', async () => {
    const settings = { checkpointEverySteps: 1000 };
    const running = await attempt('slow save', { fake: { STEP_MS: 20, SAVE_MS: 60_000 }, settings });
    await atStep(running, 2);
    const told = performance.now();
    running.abort('notice', 3000);
    await expect(running.end).rejects.toMatchObject({ code: 'PREEMPTED' });
    expect(performance.now() - told).toBeLessThan(6000);
    await isGone('slow save');
  });
});

describe('a damaged checkpoint', () => {
  it('is told, the one before is used, and its step is published anew', async () => {
    const running = await attempt('damaged', { fake: { STEP_MS: 20, CRASH_AT: 25 } });
    await expect(running.end).rejects.toMatchObject({ code: 'TRAINER_CRASHED' });
    await lab.damageNewest(fingerprintOf('damaged'));

    const next = await attempt('damaged', { settings: { keepCheckpoints: 100 } });
    expect(await weightsOf(await next.end)).toBe(expectedWeights(40));
    expect(next.resumes[0]).toMatchObject({
      resumedFromStep: 10,
      damaged: [{ step: 20, problem: expect.stringContaining('not there') }],
    });
    expect(next.notes).toContain('checkpoint 20 is safe');
  });
});

describe('a trainer', () => {
  it('that crashes is told with the end of its log, free of keys; what it saved is kept', async () => {
    const running = await attempt('crashed', { fake: { STEP_MS: 20, CRASH_AT: 25 } });
    await expect(running.end).rejects.toMatchObject({
      code: 'TRAINER_CRASHED',
      problem: expect.stringMatching(/SIGABRT.*the fake breaks, as asked; \[redacted\]/s),
    });
    expect(await steps('crashed')).toEqual([10, 20]);
    await isGone('crashed');
    const next = await attempt('crashed');
    expect(await weightsOf(await next.end)).toBe(expectedWeights(40));
    expect(next.resumes[0]).toMatchObject({ resumedFromStep: 20 });
  });

  it.each([
    ['out of memory, when the kernel counted one', 1, 'TRAINER_OUT_OF_MEMORY'],
    ['crashed, when it did not', 0, 'TRAINER_CRASHED'],
  ])('killed is %s', async (name, more, code) => {
    let kills = 7;
    const running = await attempt(name, {
      fake: { STEP_MS: 50 },
      probes: { oomKills: async () => kills },
    });
    await atStep(running, 2);
    kills += more;
    const { dir } = trainingHome(lab.trainingsDir(), fingerprintOf(name));
    for (const pid of await trainersUnder(dir)) process.kill(pid, 'SIGKILL');
    await expect(running.end).rejects.toMatchObject({ code });
    await isGone(name);
  });

  it('that diverges is told as its error', async () => {
    const running = await attempt('diverged', { fake: { STEP_MS: 20, DIVERGE_AT: 15 } });
    await expect(running.end).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    expect(await steps('diverged')).toEqual([10]);
    const next = await attempt('diverged', { rollbacks: 1 });
    const end = await next.end;
    expect(end).toMatchObject({ outcome: { started: { learningRateScale: 0.5 }, resumedFromStep: 10 } });
  });

  it('that says nothing more is ended as stalled', async () => {
    const settings = { limits: { stallMinutes: 0.05, idleMinutes: 10 } };
    const running = await attempt('silent', { fake: { STEP_MS: 20, SILENT_AT: 12 }, settings });
    await expect(running.end).rejects.toMatchObject({
      code: 'TRAINER_STALLED',
      problem: expect.stringMatching(/said nothing/),
    });
    expect(await steps('silent')).toEqual([10]);
    await isGone('silent');
  });

  it('that does nothing is ended as idle', async () => {
    const settings = { limits: { stallMinutes: 10, idleMinutes: 0.05 } };
    const running = await attempt('idle', {
      fake: { STEP_MS: 20 },
      settings: { ...settings, maxSteps: 4000 },
    });
    await atStep(running, 12);
    const { dir } = trainingHome(lab.trainingsDir(), fingerprintOf('idle'));
    for (const pid of await trainersUnder(dir)) process.kill(pid, 'SIGSTOP');
    await expect(running.end).rejects.toMatchObject({
      code: 'TRAINER_STALLED',
      problem: expect.stringMatching(/did nothing/),
    });
    await isGone('idle');
  });
});
