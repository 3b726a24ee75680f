import { describe, expect, it } from 'vitest';
import type { TrainingRecord } from '../contract/activities.ts';
import { ERROR_CATALOGUE } from '../contract/errors.ts';
import { finetuneSchema, type FinetuneSettings } from '../contract/recipe.ts';
import {
  afterLoss,
  firstAttempt,
  smallerMicroBatch,
  type Attempts,
  type RealLoss,
} from './trainingBudget.ts';

const settings = (change: object = {}): FinetuneSettings =>
  finetuneSchema.parse({ model: { uri: 'embedded:X' }, batchRows: 16, microBatchRows: 8, ...change });
const noticed: RealLoss = { kind: 'preempted', why: 'told to leave', noticed: true, told: null };
const silent: RealLoss = { kind: 'preempted', why: 'no heartbeat', noticed: false, told: null };
const error = (
  code:
    | 'TRAINER_CRASHED'
    | 'TRAINER_OUT_OF_MEMORY'
    | 'TRAINING_DIVERGED'
    | 'TRAINER_STALLED'
    | 'STORE_UNAVAILABLE',
) =>
  ({
    kind: 'error',
    code,
    message: `${code}: what happened.`,
    retryable: ERROR_CATALOGUE[code].retryable,
    told: null,
  }) as const;

const found = (newestCheckpoint: number, lastAdopted = false): TrainingRecord => ({
  newestCheckpoint,
  rollbacks: 0,
  lastAdopted,
});

/** Plays losses in order, each with the newest checkpoint found after it; ends with the last verdict. */
function play(
  losses: readonly (readonly [RealLoss, number])[],
  of: FinetuneSettings = settings(),
): { attempts: Attempts; ended: string | null; pauses: number[]; notes: string[] } {
  let attempts = firstAttempt(of);
  const pauses: number[] = [];
  const notes: string[] = [];
  for (const [loss, newest] of losses) {
    const verdict = afterLoss(attempts, loss, found(newest), of);
    if (verdict.kind === 'end')
      return { attempts, ended: verdict.failure?.problem ?? 'the loss itself', pauses, notes };
    attempts = verdict.attempts;
    pauses.push(verdict.pauseMs);
    notes.push(verdict.note);
  }
  return { attempts, ended: null, pauses, notes };
}

describe('preemptions', () => {
  it('with notice are taken up at once, however many and however little was trained between them', () => {
    const { attempts, ended, pauses } = play(Array.from({ length: 50 }, () => [noticed, 0] as const));
    expect(ended).toBeNull();
    expect(attempts).toMatchObject({ attempt: 51, preemptions: 50, errors: 0, lossesWithoutCheckpoint: 0 });
    expect(new Set(pauses)).toEqual(new Set([0]));
  });

  it('end at their own limit, which says where the training stands', () => {
    const { ended } = play(
      [
        [noticed, 20],
        [noticed, 40],
        [noticed, 60],
      ],
      settings({ limits: { maxPreemptions: 2 } }),
    );
    expect(ended).toContain('preempted 3 times');
    expect(ended).toContain('step 60');
  });

  it('without notice and without a newer checkpoint are an error the third time, with the likely cause', () => {
    const { ended, attempts } = play([
      [silent, 20],
      [silent, 20],
      [silent, 20],
      [silent, 20],
    ]);
    // The first left a checkpoint that was newer than none.
    expect(attempts.attempt).toBe(4);
    expect(ended).toContain('3 attempts in a row');
    expect(ended).toContain('step 20');
    expect(ended).toContain('out of memory');
  });

  it('without notice go on for ever while each leaves a newer checkpoint', () => {
    const { ended, attempts } = play(
      Array.from({ length: 30 }, (_, index) => [silent, 10 * (index + 1)] as const),
    );
    expect(ended).toBeNull();
    expect(attempts.preemptions).toBe(30);
  });

  it('with notice between two silent ones do not hide that nothing is gained', () => {
    expect(
      play([
        [silent, 0],
        [noticed, 0],
        [silent, 0],
        [noticed, 0],
        [silent, 0],
      ]).ended,
    ).toContain('3 attempts');
  });
});

it('a trainer that was found running after each loss had no part in them', () => {
  let attempts = firstAttempt(settings());
  for (let times = 0; times < 10; times += 1) {
    const verdict = afterLoss(attempts, silent, found(50, times > 0), settings());
    if (verdict.kind === 'end') throw new Error(verdict.failure?.problem);
    attempts = verdict.attempts;
  }
  const second = afterLoss(attempts, silent, found(50), settings());
  expect(second.kind === 'again' && second.attempts.lossesWithoutCheckpoint).toBe(2);
  expect(second.kind === 'again' && afterLoss(second.attempts, silent, found(50), settings()).kind).toBe(
    'end',
  );
});

it("what a host lacks is the recipe's fault at the first attempt, and that host's later", () => {
  const lacking: RealLoss = {
    kind: 'error',
    code: 'RESOURCES_INSUFFICIENT',
    message: 'too little memory',
    retryable: false,
    told: null,
  };
  const first = firstAttempt(settings());
  expect(afterLoss(first, lacking, found(0), settings()).kind).toBe('end');
  expect(afterLoss({ ...first, attempt: 2 }, lacking, found(0), settings()).kind).toBe('again');
  expect(afterLoss(first, lacking, found(20), settings()).kind).toBe('again');
});

describe('errors', () => {
  it('are waited for longer each time, and end the run at their limit', () => {
    const { ended, pauses } = play(Array.from({ length: 9 }, () => [error('TRAINER_STALLED'), 0] as const));
    expect(pauses).toEqual([2000, 4000, 8000]);
    expect(ended).toBe('the loss itself');
  });

  it('are counted anew after a newer checkpoint', () => {
    const losses = Array.from(
      { length: 12 },
      (_, index) => [error('TRAINER_CRASHED'), 10 * (index + 1)] as const,
    );
    const { ended, pauses } = play(losses);
    expect(ended).toBeNull();
    expect(new Set(pauses)).toEqual(new Set([2000]));
  });

  it('that are a crash count as losses too', () => {
    expect(
      play([
        [error('TRAINER_CRASHED'), 0],
        [silent, 0],
        [error('TRAINER_CRASHED'), 0],
      ]).ended,
    ).toContain('TRAINER_CRASHED: what happened');
  });

  it('wait at most five minutes', () => {
    const { pauses } = play(
      Array.from({ length: 20 }, () => [error('TRAINER_STALLED'), 0] as const),
      settings({ limits: { maxErrors: 100 } }),
    );
    expect(Math.max(...pauses)).toBe(300_000);
  });
});

it('a store that is gone for a day is waited for, a minute at a time, and counted apart from errors', () => {
  const away = Array.from({ length: 1440 }, () => [error('STORE_UNAVAILABLE'), 0] as const);
  const { attempts, ended, pauses } = play(away);
  expect(ended).toBeNull();
  expect(attempts).toMatchObject({ errors: 0, outages: 1440 });
  expect(Math.max(...pauses)).toBe(60_000);
  expect(play([...away, ...away]).ended).toBe('the loss itself');
});

describe('out of memory', () => {
  it('halves the passes down to one row and keeps the batch; then it is an error', () => {
    const { attempts, ended, notes } = play(
      Array.from({ length: 3 }, () => [error('TRAINER_OUT_OF_MEMORY'), 0] as const),
    );
    expect(notes.map((note) => /microBatchRows (\d+ → \d+)/u.exec(note)?.[1])).toEqual([
      '8 → 4',
      '4 → 2',
      '2 → 1',
    ]);
    expect(attempts).toMatchObject({ microBatchRows: 1, errors: 0, preemptions: 0 });
    expect(ended).toBeNull();
    const last = afterLoss(attempts, error('TRAINER_OUT_OF_MEMORY'), found(0), settings());
    expect(last.kind).toBe('end');
  });

  it('fails at once where the recipe wants that', () => {
    const strict = settings({ onOutOfMemory: 'fail' });
    expect(afterLoss(firstAttempt(strict), error('TRAINER_OUT_OF_MEMORY'), found(0), strict).kind).toBe(
      'end',
    );
  });

  it.each([
    [16, 8, 4],
    [12, 3, 1],
    [15, 15, 5],
    [7, 7, 1],
    [16, 1, null],
  ])('of %i rows in passes of %i goes on with %s', (batchRows, rows, expected) => {
    expect(smallerMicroBatch(batchRows, rows)).toBe(expected);
  });
});

describe('divergence', () => {
  it('is rolled back so often as allowed, with a smaller learning rate each time', () => {
    const losses = Array.from({ length: 3 }, () => [error('TRAINING_DIVERGED'), 40] as const);
    const { attempts, ended, notes } = play(losses);
    expect(notes.map((note) => /multiplied by ([\d.]+)/u.exec(note)?.[1])).toEqual(['0.5', '0.25']);
    expect(attempts.rollbacks).toBe(2);
    expect(ended).toContain('rolled back 2 times');
  });

  it('ends the run where the recipe wants that', () => {
    const strict = settings({ divergence: { policy: 'fail' } });
    expect(afterLoss(firstAttempt(strict), error('TRAINING_DIVERGED'), found(40), strict).kind).toBe('end');
  });
});

it('a wait for a GPU that is over says how long it was and what to start', () => {
  const { ended } = play([[{ kind: 'noCapacity' }, 0]], settings({ limits: { maxCapacityWaitHours: 2 } }));
  expect(ended).toContain('within 2 h');
});
