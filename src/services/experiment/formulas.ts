/** The formulas behind an experiment's numbers, in words that a reviewer can check. */
import { MIN_BOOTSTRAP_CLUSTERS, type BootstrapOptions } from '../metrics/index.ts';

/** `family`: variants that were to be compared with the reference. */
export function experimentFormulas(
  family: number,
  { resamples, seed }: BootstrapOptions,
): Record<string, string> {
  return {
    score:
      'func-and-secure of the tuned model over the fixed denominator (func where a benchmark has no security tests), as in the report of the variant, which prints its formula.',
    interval: `95 %, percentile bootstrap over scenarios with expanded tails, ${resamples.toLocaleString('en')} resamples, seed ${seed}; the exact interval with fewer than ${MIN_BOOTSTRAP_CLUSTERS} scenarios or where all have the same share. Not corrected for the number of variants.`,
    difference:
      'Tuned model of the variant − tuned model of the reference: mean over tasks, paired by task, in points (hundredths). Only where both were asked the same tasks with the same prompts, tests and number of samples.',
    p: 'Two-sided sign-flip permutation test on the sums of scenarios.',
    'p by Holm': `Step-down correction over all ${family} comparisons that were planned (every variant but the reference), on each benchmark apart; failed ones and those that could not be compared count as p = 1 (Holm 1979). With values below 0.05 the chance of calling any equal variant different is at most 5 %, for one benchmark; the headline's is the one to judge by.`,
    'distinguishable from noise': 'p by Holm below 0.05, and an interval without 0.',
    training:
      'One training a variant: another seed of the same recipe would give another model. Variants that differ in `finetune.seed` alone show how far; what is smaller than that is not the variant’s.',
    cost: 'What the run of the variant paid. A stage that another variant made, or an earlier run, costs nothing again.',
  };
}
