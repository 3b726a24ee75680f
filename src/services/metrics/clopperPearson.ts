import { betaQuantile } from './beta.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The exact interval of a proportion: it covers the truth with at least the given confidence whatever the truth is.
 * Source: Clopper and Pearson 1934, Biometrika 26, in its beta form: low = B(α/2; x, n−x+1), high = B(1−α/2; x+1, n−x).
 * The beta form takes a fractional number of successes as well, which happens when x = share × effective n.
 */
export function clopperPearson(successes: number, n: number, confidence: number): Interval {
  if (!(n > 0) || successes < 0 || successes > n) {
    throw new RangeError(`Clopper–Pearson needs 0 ≤ successes ≤ n and n > 0, not ${successes} of ${n}`);
  }
  const tail = (1 - confidence) / 2;
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, n - successes + 1),
    high: successes === n ? 1 : betaQuantile(1 - tail, successes + 1, n - successes),
  };
}
