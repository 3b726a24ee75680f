/** The fixed denominator of an evaluation: which samples are wanted, in which batches. Pure. */
import { createHash } from 'node:crypto';

export interface PlannedSample {
  /** Position in the whole evaluation. */
  readonly index: number;
  readonly taskId: string;
  /** Counts from 0 within the task. */
  readonly sample: number;
  /** Seed of the request: from the recipe's seed, the task and the sample, so that it never depends on order. */
  readonly seed: number;
}

export function planSamples(
  taskIds: readonly string[],
  samplesPerTask: number,
  seed: number,
): PlannedSample[] {
  return taskIds.flatMap((taskId, task) =>
    Array.from({ length: samplesPerTask }, (_, sample) => ({
      index: task * samplesPerTask + sample,
      taskId,
      sample,
      seed: seedOf(seed, taskId, sample),
    })),
  );
}

/** Batches are fixed by index: the unit of resume, redone whole, since generated text depends on what shared its batch. */
export function cutBatches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, batch) =>
    items.slice(batch * size, (batch + 1) * size),
  );
}

/** 31 bits: every server takes them. */
function seedOf(seed: number, taskId: string, sample: number): number {
  return createHash('sha256').update(`${seed}:${taskId}:${sample}`).digest().readUInt32BE(0) >>> 1;
}
