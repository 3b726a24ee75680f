/** The fixed denominator of an evaluation: which samples are wanted, in which batches. Pure. */
import { createHash } from 'node:crypto';
import type { PromptVariant } from '../../contract/benchmarkNames.ts';

export interface PlannedSample {
  /** Position in the whole generation. */
  readonly index: number;
  readonly variant: PromptVariant;
  readonly taskId: string;
  /** Counts from 0 within the task and variant. */
  readonly sample: number;
  /** Seed of the request: from the recipe's seed, the task and the sample, so that it never depends on order. */
  readonly seed: number;
}

export interface SamplePlan {
  readonly taskIds: readonly string[];
  readonly variants: readonly PromptVariant[];
  readonly samplesPerTask: number;
  readonly seed: number;
}

/** Variant by variant, task by task. Variants share seeds, so that they differ in their prompts alone. */
export function planSamples({ taskIds, variants, samplesPerTask, seed }: SamplePlan): PlannedSample[] {
  let index = 0;
  return variants.flatMap((variant) =>
    taskIds.flatMap((taskId) =>
      Array.from({ length: samplesPerTask }, (_, sample) => ({
        index: index++,
        variant,
        taskId,
        sample,
        seed: seedOf(seed, taskId, sample),
      })),
    ),
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
