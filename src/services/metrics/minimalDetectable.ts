/** How small a true difference a comparison can find: printed so that a dozen tasks are not oversold. */
import { betaQuantile } from './beta.ts';
import { ratioOfSums, type Cluster } from './bootstrap.ts';
import { differenceClusters } from './pairedDifference.ts';
import { samplesOf, type MetricName } from './score.ts';
import { studentTQuantile } from './studentT.ts';
import type { TaskTally } from './tally.ts';

const SIGNIFICANCE = 0.05;
const POWER = 0.8;
/** The sign-flip test cannot fall below 2^(1−s) with s scenarios that differ; 2^−5 is the first below 0.05. */
export const MIN_DIFFERING_SCENARIOS = 6;

/**
 * The smallest true difference that this design (these scenarios, tasks and samples) finds with 80 % power at
 * two-sided 0.05; null where it would not even find a difference of 1. It is the larger of two bounds:
 *
 * 1. δ = (t₀.₉₇₅ + t₀.₈)·SE(δ) with G − 1 degrees of freedom, G scenarios (Bloom 1995, Evaluation Review 19), where
 *    SE² = G/(G−1)·Σ(S_g − n_g·D)²/N² is the variance of the paired difference D clustered on the scenario (Liang and
 *    Zeger 1986, Biometrika 73, with the usual correction for few clusters), S_g the sum over the n_g tasks of a
 *    scenario, N = Σ n_g. Two models that hardly differ would make SE vanish, though a true difference would itself bring
 *    variance: what goes beyond the difference seen, x = δ − |D|, adds x(1−x)/A, as if each of the A answers of a model
 *    turned with chance x.
 * 2. The δ at which six scenarios move with 80 % chance, the fewest that the sign-flip test can call significant, if
 *    every change is an improvement and each answer turns with chance δ: a scenario of A/G answers moves with chance
 *    π = 1 − (1−δ)^(A/G), and P(X ≥ 6) = I_π(6, G−5) = 0.8 for X binomial (G, π) (DLMF 8.17.5).
 *
 * For pass@k an answer counts 1/k: so many tries do the samples of a task hold.
 * @throws RangeError when the two were not tallied over the same tasks and samples.
 */
export function minimalDetectable(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  metric: MetricName,
  k: number,
): number | null {
  const clusters = differenceClusters(base, tuned, metric, k);
  const scenarios = clusters.length;
  if (scenarios < MIN_DIFFERING_SCENARIOS) return null;
  const answers = samplesOf(base) / k;
  const byVariance = smallestByVariance(clusters, answers);
  return byVariance === null ? null : Math.max(byVariance, smallestBySigns(scenarios, answers));
}

function smallestByVariance(clusters: readonly Cluster[], answers: number): number | null {
  const seen = ratioOfSums(clusters);
  const tasks = clusters.reduce((sum, { denominator }) => sum + denominator, 0);
  const squares = clusters.reduce((sum, one) => sum + (one.numerator - one.denominator * seen) ** 2, 0);
  const freedom = clusters.length - 1;
  const variance = ((clusters.length / freedom) * squares) / tasks ** 2;
  const multiplier = studentTQuantile(1 - SIGNIFICANCE / 2, freedom) + studentTQuantile(POWER, freedom);
  const finds = (difference: number): boolean => {
    const beyond = Math.min(1, Math.max(0, difference - Math.abs(seen)));
    return difference > multiplier * Math.sqrt(variance + (beyond * (1 - beyond)) / answers);
  };
  if (!finds(1)) return null;
  // δ² − multiplier²·SE²(δ) is convex and not positive at 0: once a difference is found, so is every larger one.
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (finds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function smallestBySigns(scenarios: number, answers: number): number {
  const moves = betaQuantile(POWER, MIN_DIFFERING_SCENARIOS, scenarios - MIN_DIFFERING_SCENARIOS + 1);
  return 1 - (1 - moves) ** (scenarios / answers);
}
