/** What a night can find: the chance that a drop is called one. Pure. */
import { normalCdf } from '../metrics/normal.ts';

export interface PowerDesign {
  /** Chance of success of each task in the baseline. */
  readonly rates: readonly number[];
  /** Samples of a task each night. */
  readonly samplesPerTask: number;
  /** Nights of samples in the baseline. */
  readonly baselineNights: number;
  /** Nights that are looked at together. */
  readonly lookNights: number;
  /** Level of one look. */
  readonly alpha: number;
}

/**
 * Chance that a look finds the mean share of successes lower, when it is lower by `drop` (0 to 1): every task loses the
 * same part of its successes. Normal approximation of the exact test with a continuity correction of ½. With n and m
 * samples a task in look and baseline and f = n/(n+m), the test's statistic is D = S − f·(S+B) of the successes S and B:
 * mean (1−f)·n·Σ(q−p), variance (1−f)²·n·Σq(1−q) + f²·m·Σp(1−p) for rates p before and q now, and, if nothing changed,
 * Σ n·r(1−r)·m/(n+m−1) with r = f·q + (1−f)·p.
 */
export function powerOf(
  { rates, samplesPerTask, baselineNights, lookNights, alpha }: PowerDesign,
  drop: number,
): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const kept = mean === 0 ? 1 : Math.max(0, 1 - drop / mean);
  const n = samplesPerTask * lookNights;
  const m = samplesPerTask * baselineNights;
  const f = n / (n + m);
  let [shift, varianceNow, varianceEqual] = [0, 0, 0];
  for (const p of rates) {
    const q = p * kept;
    const r = f * q + (1 - f) * p;
    shift += (1 - f) * n * (q - p);
    varianceNow += (1 - f) ** 2 * n * q * (1 - q) + f ** 2 * m * p * (1 - p);
    varianceEqual += (n * m * r * (1 - r)) / Math.max(1, n + m - 1);
  }
  if (varianceNow === 0) return 0;
  const bound = -normalQuantile(1 - alpha) * Math.sqrt(varianceEqual);
  return normalCdf((bound - 0.5 - shift) / Math.sqrt(varianceNow));
}

/** The smallest drop that is found with this power; null where even a drop to 0 is not. */
export function smallestDrop(design: PowerDesign, power: number): number | null {
  let [low, high] = [0, design.rates.reduce((sum, rate) => sum + rate, 0) / design.rates.length];
  if (powerOf(design, high) < power) return null;
  for (let i = 0; i < 50; i += 1) {
    const middle = (low + high) / 2;
    if (powerOf(design, middle) < power) low = middle;
    else high = middle;
  }
  return high;
}

/** Of probabilities above one half, by bisection; Φ is exact enough to 8 standard deviations. */
function normalQuantile(probability: number): number {
  let [low, high] = [0, 8];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
  }
  return high;
}
