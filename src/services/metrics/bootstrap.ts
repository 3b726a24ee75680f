/** Intervals of a ratio of sums over clusters: bootstrap, with an exact fallback. */
import { clopperPearson, type Interval } from './clopperPearson.ts';
import { seededRandom } from './random.ts';

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
 * Interval of a proportion Σ numerator / Σ denominator in [0, 1]. Clusters, not samples, are drawn with
 * replacement, because tasks of one scenario succeed and fail together (cluster bootstrap, percentile interval:
 * Davison and Hinkley 1997, section 3.8 and 5.3).
 *
 * Where the bootstrap says nothing (fewer than MIN_BOOTSTRAP_CLUSTERS clusters, or all clusters with the same
 * share, such as all 0 or all 1) it falls back to Clopper–Pearson with the number of clusters as n: as if all
 * samples of a scenario were one observation. That is the widest defensible reading, never too narrow.
 */
export function proportionInterval(clusters: readonly Cluster[], options: BootstrapOptions): ClusterInterval {
  const informative = clusters.filter((cluster) => cluster.denominator > 0);
  if (informative.length === 0)
    throw new RangeError('an interval needs at least one cluster with a denominator');
  if (informative.length < MIN_BOOTSTRAP_CLUSTERS || allSame(informative)) {
    const share = Math.min(1, ratioOfSums(informative));
    return {
      ...clopperPearson(share * informative.length, informative.length, options.confidence),
      method: 'exact',
    };
  }
  return { ...bootstrapInterval(clusters, options), method: 'bootstrap' };
}

/** Percentile interval of Σ numerator / Σ denominator over resampled clusters; draws without a denominator are drawn again. */
export function bootstrapInterval(
  clusters: readonly Cluster[],
  { confidence, resamples, seed }: BootstrapOptions,
): Interval {
  const random = seededRandom(seed);
  const numerators = Float64Array.from(clusters, (cluster) => cluster.numerator);
  const denominators = Float64Array.from(clusters, (cluster) => cluster.denominator);
  const statistics = new Float64Array(resamples);
  for (let done = 0; done < resamples;) {
    let numerator = 0;
    let denominator = 0;
    for (let draw = 0; draw < numerators.length; draw += 1) {
      const chosen = Math.floor(random() * numerators.length);
      numerator += numerators[chosen] ?? 0;
      denominator += denominators[chosen] ?? 0;
    }
    if (denominator > 0) statistics[done++] = numerator / denominator;
  }
  statistics.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(statistics, tail), high: quantile(statistics, 1 - tail) };
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
