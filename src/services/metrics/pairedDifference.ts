/** Two models on the same tasks: the difference, its interval, and how likely chance alone gives as much. */
import type { Difference } from '../../contract/summary.ts';
import { MIN_BOOTSTRAP_CLUSTERS, bootstrapInterval, ratioOfSums, type Cluster } from './bootstrap.ts';
import type { Interval } from './clopperPearson.ts';
import { passAtK } from './passAtK.ts';
import { seededRandom } from './random.ts';
import { clusterTasks, samplesOf, scoreTasks, type MetricName, type ScoreOptions } from './score.ts';
import type { TaskTally } from './tally.ts';

/** Up to this many scenarios that differ, all sign patterns are tried (2^14 = 16,384); beyond it they are drawn. */
const MAX_ENUMERATED_CLUSTERS = 14;
/** Sums closer than this are ties: the order of additions must not decide. */
const TIE = 1e-9;

/**
 * Mean over tasks of tuned@k − base@k. `n` counts the samples of each model.
 * @throws RangeError when the two were not tallied over the same tasks and samples.
 */
export function pairedDifference(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  metric: MetricName,
  options: ScoreOptions,
): Difference {
  const tunedById = new Map(tuned.map((task) => [task.taskId, task]));
  const differences = base.map((task) => {
    const other = tunedById.get(task.taskId);
    if (other === undefined || other.samples !== task.samples || tuned.length !== base.length) {
      throw new RangeError(`the models were not asked for the same samples of ${task.taskId}`);
    }
    const value =
      passAtK(other.samples, other[metric], options.k) - passAtK(task.samples, task[metric], options.k);
    return { scenario: task.scenario, value };
  });
  const clusters = clusterTasks(differences, ({ value }) => ({ numerator: value, denominator: 1 }));
  const { low, high } = differenceInterval(
    clusters,
    () => boundsOfBoth(base, tuned, metric, options),
    options,
  );
  return {
    value: ratioOfSums(clusters),
    low,
    high,
    pValue: signFlipPValue(
      clusters.map((cluster) => cluster.numerator),
      options,
    ),
    n: samplesOf(base),
  };
}

function differenceInterval(
  clusters: readonly Cluster[],
  fallback: () => Interval,
  options: ScoreOptions,
): Interval {
  const means = clusters.map((cluster) => cluster.numerator / cluster.denominator);
  const degenerate =
    clusters.length < MIN_BOOTSTRAP_CLUSTERS || Math.max(...means) - Math.min(...means) < TIE;
  return degenerate ? fallback() : bootstrapInterval(clusters, options);
}

/**
 * Where the bootstrap degenerates: the corners of the two models' own intervals, each at confidence 1 − α/2, so
 * that both hold together with at least 1 − α (Bonferroni). Wide, and never too narrow.
 */
function boundsOfBoth(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  metric: MetricName,
  options: ScoreOptions,
): Interval {
  const each = { ...options, confidence: 1 - (1 - options.confidence) / 2 };
  const a = scoreTasks(base, metric, each).score;
  const b = scoreTasks(tuned, metric, each).score;
  return { low: b.low - a.high, high: b.high - a.low };
}

/**
 * Two-sided p-value of the sign-flip permutation test on scenario sums: if the models do not differ, each
 * scenario's difference could as well have had the other sign (Fisher 1935; Good 2005, "Permutation, Parametric
 * and Bootstrap Tests", chapter 3). All patterns are tried where they are few, else `resamples` are drawn and the
 * estimate is (b+1)/(m+1) (Phipson and Smyth 2010), never 0.
 */
export function signFlipPValue(
  sums: readonly number[],
  { resamples, seed }: Pick<ScoreOptions, 'resamples' | 'seed'>,
): number {
  const moving = sums.filter((sum) => Math.abs(sum) > TIE);
  const observed = Math.abs(moving.reduce((total, sum) => total + sum, 0)) - TIE;
  const asExtreme = (sign: (i: number) => boolean): boolean =>
    Math.abs(moving.reduce((total, sum, i) => total + (sign(i) ? sum : -sum), 0)) >= observed;
  let extreme = 0;
  if (moving.length <= MAX_ENUMERATED_CLUSTERS) {
    const patterns = 2 ** moving.length;
    for (let pattern = 0; pattern < patterns; pattern += 1) {
      if (asExtreme((i) => ((pattern >> i) & 1) === 1)) extreme += 1;
    }
    return extreme / patterns;
  }
  const random = seededRandom(seed);
  for (let draw = 0; draw < resamples; draw += 1) if (asExtreme(() => random() < 0.5)) extreme += 1;
  return (extreme + 1) / (resamples + 1);
}
