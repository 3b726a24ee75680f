/** Intervals of ratios of sums over clusters: bootstrap, with an exact fallback. */
import { clopperPearson, type Interval } from './clopperPearson.ts';
import { normalCdf } from './normal.ts';
import { seededRandom } from './random.ts';
import { studentTQuantile } from './studentT.ts';

/** What one cluster (scenario) adds to the statistic Σ numerator / Σ denominator. */
export interface Cluster {
  readonly numerator: number;
  readonly denominator: number;
}

export interface BootstrapOptions {
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
}

export const defaultBootstrap: BootstrapOptions = { confidence: 0.95, resamples: 10_000, seed: 1 };

/**
 * With fewer clusters than this the percentile bootstrap is known to be far too narrow (Cameron, Gelbach and
 * Miller 2008, Review of Economics and Statistics 90), so the exact interval is used.
 */
export const MIN_BOOTSTRAP_CLUSTERS = 5;

export interface ClusterInterval extends Interval {
  readonly method: 'bootstrap' | 'exact';
}

/**
 * Intervals of proportions Σ numerator / Σ denominator in [0, 1], each given by the same clusters in the same order.
 * Clusters, not samples, are drawn with replacement, because tasks of one scenario succeed and fail together (cluster
 * bootstrap: Davison and Hinkley 1997, section 3.8; percentile interval with expanded tails).
 *
 * Where the bootstrap says nothing (fewer than MIN_BOOTSTRAP_CLUSTERS clusters, or all clusters with the same
 * share, such as all 0 or all 1) it falls back to Clopper–Pearson with the number of clusters as n: as if all
 * samples of a scenario were one observation. That is the widest defensible reading, never too narrow.
 */
export function proportionIntervals(
  proportions: readonly (readonly Cluster[])[],
  options: BootstrapOptions,
): ClusterInterval[] {
  const exact = proportions.map((clusters) => exactInterval(clusters, options.confidence));
  const drawn = bootstrapIntervals(
    proportions.filter((_, i) => exact[i] === null),
    options,
  ).values();
  return exact.map((interval) => {
    if (interval !== null) return { ...interval, method: 'exact' };
    const next = drawn.next();
    if (next.done === true) throw new RangeError('an interval is missing');
    return { ...next.value, method: 'bootstrap' };
  });
}

/** Null where the bootstrap is to be asked. */
function exactInterval(clusters: readonly Cluster[], confidence: number): Interval | null {
  const informative = clusters.filter((cluster) => cluster.denominator > 0);
  if (informative.length === 0)
    throw new RangeError('an interval needs at least one cluster with a denominator');
  if (informative.length >= MIN_BOOTSTRAP_CLUSTERS && !allSame(informative)) return null;
  const share = Math.min(1, ratioOfSums(informative));
  return clopperPearson(share * informative.length, informative.length, confidence);
}

/**
 * Percentile intervals, tails expanded, of Σ numerator / Σ denominator over resampled clusters. All ratios share the draws, which costs
 * little more than one of them; a ratio skips the draws that leave it without a denominator, and takes later ones
 * instead, so each interval is the one that it would get alone.
 */
export function bootstrapIntervals(
  ratios: readonly (readonly Cluster[])[],
  { confidence, resamples, seed }: BootstrapOptions,
): Interval[] {
  const { columns, of } = distinctColumns(ratios);
  const width = columns.length;
  const clusters = columns[0]?.length ?? 0;
  const parts = Float64Array.from({ length: clusters * width }, (_, i) => {
    return columns[i % width]?.[Math.floor(i / width)] ?? 0;
  });
  const random = seededRandom(seed);
  const sums = new Float64Array(width);
  const drawn = of.map((places) => ({ ...places, statistics: new Float64Array(resamples), done: 0 }));
  for (let unfinished = drawn.length; unfinished > 0;) {
    sums.fill(0);
    for (let draw = 0; draw < clusters; draw += 1) {
      const start = Math.floor(random() * clusters) * width;
      for (let i = 0; i < width; i += 1) sums[i] = (sums[i] ?? 0) + (parts[start + i] ?? 0);
    }
    for (const ratio of drawn) {
      const denominator = sums[ratio.denominator] ?? 0;
      if (ratio.done === resamples || denominator <= 0) continue;
      ratio.statistics[ratio.done] = (sums[ratio.numerator] ?? 0) / denominator;
      ratio.done += 1;
      if (ratio.done === resamples) unfinished -= 1;
    }
  }
  return drawn.map(({ statistics, denominator }) => {
    statistics.sort();
    const informative = columns[denominator]?.filter((value) => value > 0).length ?? 0;
    const tail = expandedTail(confidence, informative);
    return { low: quantile(statistics, tail), high: quantile(statistics, 1 - tail) };
  });
}

/**
 * Numerators and denominators of all ratios, equal ones once: most ratios share the denominator, and the summing of
 * columns is where the time goes.
 */
function distinctColumns(ratios: readonly (readonly Cluster[])[]): {
  readonly columns: readonly Float64Array[];
  readonly of: readonly { readonly numerator: number; readonly denominator: number }[];
} {
  const columns: Float64Array[] = [];
  const place = (ratio: readonly Cluster[], part: keyof Cluster): number => {
    const column = Float64Array.from(ratio, (cluster) => cluster[part]);
    const same = columns.findIndex((other) => other.every((value, i) => value === column[i]));
    return same === -1 ? columns.push(column) - 1 : same;
  };
  const of = ratios.map((ratio) => {
    if (ratio.length !== ratios[0]?.length) throw new RangeError('the ratios are not of the same clusters');
    if (!ratio.some(({ denominator }) => denominator > 0)) throw new RangeError('a ratio has no denominator');
    return { numerator: place(ratio, 'numerator'), denominator: place(ratio, 'denominator') };
  });
  return { columns, of };
}

/**
 * What to cut off at each end of the resampled statistics. Of n clusters, resampling makes a spread that is too narrow by
 * √((n−1)/n), and takes it for known: so the tail is Φ(−√(n/(n−1))·t) instead of Φ(−z), with n − 1 degrees of freedom
 * (the expanded percentile interval of Hesterberg 2015, The American Statistician 69). Without it, intervals of six
 * clusters would hold the truth in 87 % of studies, not 95 %.
 */
export function expandedTail(confidence: number, clusters: number): number {
  const tail = (1 - confidence) / 2;
  if (clusters < 2) return tail;
  return normalCdf(-Math.sqrt(clusters / (clusters - 1)) * studentTQuantile(1 - tail, clusters - 1));
}

export function ratioOfSums(clusters: readonly Cluster[]): number {
  const sum = (of: keyof Cluster): number => clusters.reduce((total, cluster) => total + cluster[of], 0);
  return sum('numerator') / sum('denominator');
}

function allSame(clusters: readonly Cluster[]): boolean {
  const shares = clusters.map((cluster) => cluster.numerator / cluster.denominator);
  return Math.max(...shares) - Math.min(...shares) < 1e-12;
}

/** Quantile of sorted values by linear interpolation (type 7 of Hyndman and Fan 1996, The American Statistician 50). */
function quantile(sorted: Float64Array, probability: number): number {
  const position = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}
