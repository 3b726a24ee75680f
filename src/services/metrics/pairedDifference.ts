/** Two models on the same tasks: the difference, its interval, and how likely chance alone gives as much. */
import type { Difference } from '../../contract/summary.ts';
import { MIN_BOOTSTRAP_CLUSTERS, bootstrapIntervals, ratioOfSums, type Cluster } from './bootstrap.ts';
import type { Interval } from './clopperPearson.ts';
import { passAtK } from './passAtK.ts';
import { seededRandom } from './random.ts';
import {
  clusterTasks,
  meanPassAtK,
  samplesOf,
  scoreRatio,
  type MetricName,
  type ScoreOptions,
} from './score.ts';
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
  const clusters = differenceClusters(base, tuned, metric, options.k);
  const { low, high } = isDegenerate(clusters)
    ? boundsOfBoth(base, tuned, metric, options)
    : bootstrapInterval(clusters, options);
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

/**
 * For each scenario the sum over its tasks of tuned@k − base@k, and how many tasks it has.
 * @throws RangeError when the two were not tallied over the same tasks and samples.
 */
export function differenceClusters(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  metric: MetricName,
  k: number,
): Cluster[] {
  const tunedById = new Map(tuned.map((task) => [task.taskId, task]));
  const differences = base.map((task) => {
    const other = tunedById.get(task.taskId);
    if (other === undefined || other.samples !== task.samples || tuned.length !== base.length) {
      throw new RangeError(`the models were not asked for the same samples of ${task.taskId}`);
    }
    const value = passAtK(other.samples, other[metric], k) - passAtK(task.samples, task[metric], k);
    return { scenario: task.scenario, value };
  });
  return clusterTasks(differences, ({ value }) => ({ numerator: value, denominator: 1 }));
}

function isDegenerate(clusters: readonly Cluster[]): boolean {
  const means = clusters.map((cluster) => cluster.numerator / cluster.denominator);
  return clusters.length < MIN_BOOTSTRAP_CLUSTERS || Math.max(...means) - Math.min(...means) < TIE;
}

function bootstrapInterval(clusters: readonly Cluster[], options: ScoreOptions): Interval {
  const [interval] = bootstrapIntervals([clusters], options);
  if (interval === undefined) throw new RangeError('a difference has no interval');
  return interval;
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
  const a = scoreRatio(base, meanPassAtK(base, metric, options.k), each).score;
  const b = scoreRatio(tuned, meanPassAtK(tuned, metric, options.k), each).score;
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
  const moving = Float64Array.from(sums.filter((sum) => Math.abs(sum) > TIE));
  const observed = Math.abs(moving.reduce((total, sum) => total + sum, 0)) - TIE;
  let extreme = 0;
  if (moving.length <= MAX_ENUMERATED_CLUSTERS) {
    const patterns = 2 ** moving.length;
    for (let pattern = 0; pattern < patterns; pattern += 1) {
      if (Math.abs(signedSum(moving, (i) => ((pattern >> i) & 1) === 1)) >= observed) extreme += 1;
    }
    return extreme / patterns;
  }
  const random = seededRandom(seed);
  for (let draw = 0; draw < resamples; draw += 1) {
    if (Math.abs(signedSum(moving, () => random() < 0.5)) >= observed) extreme += 1;
  }
  return (extreme + 1) / (resamples + 1);
}

function signedSum(values: Float64Array, isPositive: (i: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += isPositive(i) ? (values[i] ?? 0) : -(values[i] ?? 0);
  return sum;
}
