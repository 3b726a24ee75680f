/**
 * What becomes of a training after an attempt was lost. Preemptions, errors, memory and divergence are counted apart,
 * since each is answered differently. Pure: decided by counts, and by what the store says of the newest checkpoint.
 */
import type { TrainingRecord } from '../contract/activities.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { FinetuneSettings } from '../contract/recipe.ts';
import { gpuQueue } from '../contract/workflows.ts';
import type { Loss } from './failures.ts';

export interface Attempts {
  /** Number of the next attempt, from 1. */
  readonly attempt: number;
  readonly preemptions: number;
  /** Real errors since a checkpoint was newer than at the error before. */
  readonly errors: number;
  /** Losses without notice in a row, none of which left a newer checkpoint. */
  readonly lossesWithoutCheckpoint: number;
  /** In the store, when the last attempt was lost. */
  readonly newestCheckpoint: number;
  /** Attempts in a row that the store's absence ended. */
  readonly outages: number;
  readonly microBatchRows: number;
  readonly rollbacks: number;
}

export type Verdict =
  | { readonly kind: 'again'; readonly attempts: Attempts; readonly pauseMs: number; readonly note: string }
  /** With a failure that says more than the loss itself, or null to end with the loss. */
  | { readonly kind: 'end'; readonly failure: { readonly code: ErrorCode; readonly problem: string } | null };

export type RealLoss = Exclude<Loss, { kind: 'cancelled' }>;

const FIRST_ERROR_PAUSE_MS = 2000;
const LAST_ERROR_PAUSE_MS = 5 * 60_000;
const BUSY_HOST_PAUSE_MS = 5000;
const LAST_OUTAGE_PAUSE_MS = 60_000;
const HOST_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'RESOURCES_INSUFFICIENT',
  'MODEL_NOT_FOUND',
  'GPU_UNFIT',
]);
/** About a day. */
const MAX_OUTAGES = 1440;

export const nothingYet: TrainingRecord = { newestCheckpoint: 0, rollbacks: 0, lastAdopted: false };

export function firstAttempt(
  { microBatchRows }: FinetuneSettings,
  { newestCheckpoint, rollbacks }: TrainingRecord = nothingYet,
): Attempts {
  return {
    attempt: 1,
    preemptions: 0,
    errors: 0,
    lossesWithoutCheckpoint: 0,
    newestCheckpoint,
    outages: 0,
    microBatchRows,
    rollbacks,
  };
}

/** After so many preemptions as the recipe bears, the class that nobody takes away. */
export function gpuClassOf({ preemptions }: Attempts, { gpu }: FinetuneSettings): string | undefined {
  const moved = gpu.onDemandAfter !== undefined && preemptions >= gpu.onDemandAfter;
  return moved ? gpu.onDemandClass : gpu.class;
}

export function afterLoss(
  before: Attempts,
  loss: RealLoss,
  { newestCheckpoint, lastAdopted }: TrainingRecord,
  settings: FinetuneSettings,
): Verdict {
  const { limits } = settings;
  const isNewer = newestCheckpoint > before.newestCheckpoint;
  const isOutage = loss.kind === 'error' && loss.code === 'STORE_UNAVAILABLE';
  const next: Attempts = {
    ...before,
    attempt: before.attempt + 1,
    newestCheckpoint,
    outages: isOutage ? before.outages + 1 : 0,
    errors: isNewer ? 0 : before.errors,
  };
  /** Of a loss that nobody announced. */
  const inSilence: Attempts = {
    ...next,
    lossesWithoutCheckpoint: isNewer ? 0 : (lastAdopted ? 0 : before.lossesWithoutCheckpoint) + 1,
  };
  const from = newestCheckpoint === 0 ? 'the beginning' : `step ${newestCheckpoint}`;
  const resumes = `attempt ${next.attempt} goes on from ${from} at the latest`;
  switch (loss.kind) {
    case 'noCapacity':
      return end(
        'CAPACITY_UNAVAILABLE',
        `no GPU worker of queue ${gpuQueue(gpuClassOf(before, settings))} took the training within ${limits.maxCapacityWaitHours} h (limits.maxCapacityWaitHours).`,
      );
    case 'preempted': {
      const preemptions = before.preemptions + 1;
      if (preemptions > limits.maxPreemptions)
        return end(
          'PREEMPTED',
          `preempted ${preemptions} times, more than limits.maxPreemptions (${limits.maxPreemptions}); the newest checkpoint is of step ${newestCheckpoint}.`,
        );
      if (loss.noticed) return again({ ...next, preemptions }, `taken away (${loss.why}); ${resumes}`);
      return unnoticed({ ...inSilence, preemptions }, loss.why, settings, `lost (${loss.why}); ${resumes}`);
    }
    case 'error':
      if (isOutage && next.outages <= MAX_OUTAGES) return afterOutage(next, resumes);
      return afterError(loss.code === 'TRAINER_CRASHED' ? inSilence : next, loss, settings, resumes);
  }
}

function afterError(
  next: Attempts,
  loss: Extract<RealLoss, { kind: 'error' }>,
  settings: FinetuneSettings,
  resumes: string,
): Verdict {
  const { limits, divergence, batchRows, onOutOfMemory } = settings;
  if (loss.code === 'TRAINER_OUT_OF_MEMORY' && onOutOfMemory === 'halveMicroBatch') {
    const microBatchRows = smallerMicroBatch(batchRows, next.microBatchRows);
    if (microBatchRows !== null)
      return again(
        { ...next, microBatchRows },
        `memory ran out: microBatchRows ${next.microBatchRows} → ${microBatchRows}, batchRows stays ${batchRows}; ${resumes}`,
      );
  }
  if (loss.code === 'TRAINING_DIVERGED' && divergence.policy === 'rollback') {
    const rollbacks = next.rollbacks + 1;
    if (rollbacks > divergence.maxRollbacks)
      return end(
        'TRAINING_DIVERGED',
        `${loss.message} It was rolled back ${next.rollbacks} times before (divergence.maxRollbacks).`,
      );
    const factor = divergence.learningRateFactor ** rollbacks;
    return again(
      { ...next, rollbacks },
      `diverged: rolled back, the learning rate is multiplied by ${factor}; ${resumes}`,
    );
  }
  // Trainers that nobody attends any more hold the host's GPUs for now.
  if (loss.code === 'CAPACITY_UNAVAILABLE')
    return { ...again(next, `waits for a GPU; ${resumes}`), pauseMs: BUSY_HOST_PAUSE_MS };
  const errors = next.errors + 1;
  // What one host lacks another may have; at the first attempt it is the recipe's.
  const isOfHost = HOST_FAULTS.has(loss.code) && (next.attempt > 2 || next.newestCheckpoint > 0);
  if (!(loss.retryable || isOfHost) || errors >= limits.maxErrors) return { kind: 'end', failure: null };
  const pauseMs = Math.min(LAST_ERROR_PAUSE_MS, FIRST_ERROR_PAUSE_MS * 2 ** (errors - 1));
  const note = `${loss.code}; ${resumes}`;
  if (loss.code !== 'TRAINER_CRASHED') return { ...again({ ...next, errors }, note), pauseMs };
  return unnoticed({ ...next, errors }, loss.message, settings, note, pauseMs);
}

/** A store that is gone for hours is no error of the training. */
function afterOutage(next: Attempts, resumes: string): Verdict {
  const pauseMs = Math.min(LAST_OUTAGE_PAUSE_MS, FIRST_ERROR_PAUSE_MS * 2 ** (next.outages - 1));
  return { ...again(next, `the store does not answer; ${resumes}`), pauseMs };
}

/** A loss that nobody announced may be the training's own doing: some in a row without progress are an error. */
function unnoticed(
  next: Attempts,
  why: string,
  { limits }: FinetuneSettings,
  note: string,
  pauseMs = 0,
): Verdict {
  const losses = next.lossesWithoutCheckpoint;
  if (losses >= limits.maxLossesWithoutCheckpoint)
    return end(
      'TRAINER_CRASHED',
      `${losses} attempts in a row were lost without notice and left no checkpoint newer than step ${next.newestCheckpoint}. That is rarely preemption; likely causes: out of memory on the host (the kernel kills the trainer or the worker), or a crash of the driver or the machine. The last: ${why}`,
    );
  return { ...again(next, note), pauseMs };
}

function again(attempts: Attempts, note: string): Extract<Verdict, { kind: 'again' }> {
  return { kind: 'again', attempts, pauseMs: 0, note };
}

function end(code: ErrorCode, problem: string): Verdict {
  return { kind: 'end', failure: { code, problem } };
}

/** The largest divisor of the global batch that is at most half of `rows`: the global batch stays. Null at one row. */
export function smallerMicroBatch(batchRows: number, rows: number): number | null {
  for (let smaller = Math.floor(rows / 2); smaller >= 1; smaller -= 1) {
    if (batchRows % smaller === 0) return smaller;
  }
  return null;
}
