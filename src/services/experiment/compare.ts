/** Two variants on one benchmark: what was asked must be the same, and is paired by task. Pure. */
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { Difference } from '../../contract/summary.ts';
import { pairedDifference, type ScoreOptions, type TaskTally } from '../metrics/index.ts';

/** A tuned model on one benchmark, as it was asked and graded. */
export interface GradedVariant {
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  /** The prompt variant that scores are about. */
  readonly prompt: PromptVariant;
  /** Of `tasks`, under `prompt`. */
  readonly tallies: readonly TaskTally[];
  readonly metric: 'funcSec' | 'func';
  readonly k: number;
}

export type Compared =
  | { readonly difference: Difference }
  /** Why not, for people. */
  | { readonly notCompared: string };

/** The variant minus the reference. */
export function compareVariants(
  reference: GradedVariant,
  variant: GradedVariant,
  bootstrap: Omit<ScoreOptions, 'k'>,
): Compared {
  const differs = whatDiffers(reference, variant);
  if (differs !== null) return { notCompared: differs };
  const options = { ...bootstrap, k: reference.k };
  return {
    difference: pairedDifference(reference.tallies, variant.tallies, reference.metric, options),
  };
}

/** Sampling may differ: it is then part of what is compared. */
function whatDiffers(reference: GradedVariant, variant: GradedVariant): string | null {
  const left = reference.prompt;
  const right = variant.prompt;
  if (left !== right) return `it was asked with the prompt "${right}", the reference with "${left}"`;
  if (reference.samplesPerTask !== variant.samplesPerTask)
    return `it has ${variant.samplesPerTask} samples a task, the reference ${reference.samplesPerTask}`;
  if (reference.k !== variant.k)
    return `its scores are of ${variant.k} tries, the reference's of ${reference.k}`;
  const asked = new Map(reference.tasks.map((task) => [task.taskId, identityOf(task, left)]));
  const missing = reference.tasks.length - variant.tasks.filter(({ taskId }) => asked.has(taskId)).length;
  const more = variant.tasks.filter(({ taskId }) => !asked.has(taskId)).length;
  if (missing + more > 0)
    return `it was asked other tasks: ${missing} of the reference's are missing, ${more} are its own`;
  const changed = variant.tasks.filter((task) => asked.get(task.taskId) !== identityOf(task, right)).length;
  return changed === 0 ? null : `${changed} tasks have other prompts or tests than the reference's`;
}

function identityOf({ testsSha256, prompts, scenario }: BenchmarkTaskRow, prompt: PromptVariant): string {
  return JSON.stringify([testsSha256, prompts[prompt], scenario]);
}
