/** A checkpoint that only this disk has: whatever ends the next attempts, its steps are not made again. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecord, trainingHome } from '../../src/services/train/trainingHome.ts';
import { until } from '../chain/stack.ts';
import {
  expectedWeights,
  fingerprintOf,
  openLab,
  startAttempt,
  startAttemptProcess,
  trainersUnder,
  weightsOf,
  type AttemptPlan,
  type FakeTrainer,
  type Lab,
} from './lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab?.stop());

const MAX_STEPS = 30;
const LOADING: FakeTrainer = { LOAD_MS: 30_000 };

async function planOf(
  name: string,
  fake: FakeTrainer = {},
  settings: Record<string, unknown> = {},
): Promise<AttemptPlan> {
  const fingerprint = fingerprintOf(name);
  const epoch = await lab.claim(fingerprint);
  return lab.plan({ fingerprint, epoch, fake, settings: { maxSteps: MAX_STEPS, ...settings } });
}

const homeOf = (name: string) => trainingHome(lab.trainingsDir(), fingerprintOf(name));
const stepsOf = async (name: string): Promise<number[]> =>
  (await lab.store.trainings.list(fingerprintOf(name))).map(({ step }) => step);
const trainerOf = async (name: string): Promise<number> =>
  await until(`the trainer of ${name}`, async () => (await trainersUnder(homeOf(name).dir))[0], 20_000);

async function killTrainer(name: string): Promise<void> {
  process.kill(await trainerOf(name), 'SIGKILL');
  await until('its end', async () => (await trainersUnder(homeOf(name).dir)).length === 0, 20_000);
}

/** An attempt that loses the store while its trainer loads, and is lost itself after this step, the trainer's last. */
async function loseStoreUntil(
  name: string,
  step: number,
  settings: Record<string, unknown> = {},
): Promise<void> {
  const fake = { LOAD_MS: 1000, STEP_MS: 20, SILENT_AT: step + 1 };
  const first = await startAttempt(await planOf(name, fake, settings));
  await trainerOf(name);
  await lab.server.kill();
  try {
    const said = `"event": "step", "step": ${step},`;
    const hasSaid = async (): Promise<boolean> =>
      (await readFile(homeOf(name).eventsFile, 'utf8')).includes(said);
    await until(`step ${step}`, hasSaid, 20_000);
    first.abort('lost');
    await expect(first.end).rejects.toThrow('lost');
  } finally {
    await lab.server.restart();
  }
}

/** Leaves checkpoint 10 on the disk alone, and no trainer. */
async function leaveUnsaved(name: string): Promise<void> {
  await loseStoreUntil(name, 12);
  await killTrainer(name);
  expect(await stepsOf(name)).toEqual([]);
}

async function expectResumedAt10(name: string): Promise<void> {
  const last = await startAttempt(await planOf(name));
  expect(await weightsOf(await last.end)).toBe(expectedWeights(MAX_STEPS));
  expect(last.resumes[0]).toMatchObject({ adopted: false, resumedFromStep: 10 });
  expect(last.notes).toContain('checkpoint 10 is safe');
}

describe('a checkpoint that only this disk has', () => {
  it('goes to the store when the run is paused while the next trainer loads', async () => {
    await leaveUnsaved('paused');
    const second = await startAttempt(await planOf('paused', LOADING));
    await trainerOf('paused');
    second.want('pause');
    expect(await second.end).toEqual({ status: 'paused', step: 10 });
    expect(await stepsOf('paused')).toEqual([10]);
  });

  it('goes to the store within the grace of a notice while the next trainer loads', async () => {
    await leaveUnsaved('notice');
    const second = await startAttempt(await planOf('notice', LOADING));
    await trainerOf('notice');
    second.abort('notice', 20_000);
    await expect(second.end).rejects.toMatchObject({
      code: 'PREEMPTED',
      problem: expect.stringMatching(/is in the store/),
    });
    expect(await stepsOf('notice')).toEqual([10]);
  });

  it('goes to the store when the loading trainer was adopted, and the run is paused', async () => {
    await leaveUnsaved('adopted');
    const second = await startAttempt(await planOf('adopted', LOADING));
    await trainerOf('adopted');
    second.abort('lost');
    await expect(second.end).rejects.toThrow('lost');
    const third = await startAttempt(await planOf('adopted', LOADING));
    await until('the adoption', async () => third.resumes[0]?.adopted, 20_000);
    third.want('pause');
    expect(await third.end).toEqual({ status: 'paused', step: 10 });
  });

  it('is used when worker and trainer are killed again before the first step', async () => {
    await leaveUnsaved('killed twice');
    const plan = await planOf('killed twice', LOADING);
    const second = startAttemptProcess(plan);
    await trainerOf('killed twice');
    await until(
      'it is written down',
      async () => typeof (await readRecord(homeOf('killed twice')))?.owner === 'string',
      20_000,
    );
    await second.kill();
    await killTrainer('killed twice');
    expect(await stepsOf('killed twice')).toEqual([]);
    await expectResumedAt10('killed twice');
  });

  it('is used when the worker is killed while it prepares the next trainer', async () => {
    await leaveUnsaved('killed preparing');
    const plan = await planOf('killed preparing');
    await lab.server.kill();
    const second = startAttemptProcess(plan);
    await until(
      'the home is taken',
      async () => (await readRecord(homeOf('killed preparing')))?.epoch === plan.epoch,
      20_000,
    );
    await second.kill();
    expect(await readRecord(homeOf('killed preparing'))).toMatchObject({ owner: null });
    await lab.server.restart();
    await expectResumedAt10('killed preparing');
  });

  it('is used when the store was gone while the next trainer was prepared', async () => {
    await leaveUnsaved('no store');
    const plan = await planOf('no store');
    await lab.server.kill();
    const second = await startAttempt(plan);
    await expect(second.end).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await lab.server.restart();
    await expectResumedAt10('no store');
  }, 60_000);
});

describe('a damaged checkpoint that was passed over', () => {
  const EVERY_10 = { checkpointEverySteps: 10, keepCheckpoints: 100 };

  /** The store lists 10 and 20, and 20 does not read back. */
  async function damage20(name: string): Promise<void> {
    const first = await startAttempt(await planOf(name, { CRASH_AT: 25 }, { checkpointEverySteps: 10 }));
    await expect(first.end).rejects.toMatchObject({ code: 'TRAINER_CRASHED' });
    expect(await stepsOf(name)).toEqual([10, 20]);
    await lab.damageNewest(fingerprintOf(name));
  }

  it('does not keep an older one of this disk from being used', async () => {
    await damage20('older');
    const settings = { checkpointEverySteps: 5 };
    await loseStoreUntil('older', 17, settings);
    await killTrainer('older');
    const third = await startAttempt(await planOf('older', {}, settings));
    expect(await weightsOf(await third.end)).toBe(expectedWeights(MAX_STEPS));
    expect(third.resumes[0]).toMatchObject({ adopted: false, resumedFromStep: 15 });
  });

  it('does not hide the same step made again from an adoption', async () => {
    await damage20('hidden');
    await loseStoreUntil('hidden', 21, EVERY_10);
    const third = await startAttempt(await planOf('hidden', {}, EVERY_10));
    await until('it is safe', async () => third.notes.includes('checkpoint 20 is safe'), 20_000);
    expect(third.resumes[0]).toMatchObject({ adopted: true });
    third.abort('cancelled');
    await expect(third.end).rejects.toThrow('cancelled');
  });
});
