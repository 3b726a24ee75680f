/** From a random sample to what the rest will come to, with the variance of the prediction. Pure. */

/** An expected value and the variance of what it will turn out to be. */
export interface Amount {
  readonly expected: number;
  readonly variance: number;
}

export const nothing: Amount = { expected: 0, variance: 0 };

/** Of a standard normal distribution: 95 % lie within ± this many standard deviations. */
const Z_95 = 1.959964;

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

export function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0);
}

/** Unbiased. One value says nothing of its spread; its own square stands in, which is wide. */
export function sampleVariance(values: readonly number[]): number {
  const [first = 0] = values;
  if (values.length < 2) return first * first;
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
}

/**
 * The sum over `rest` rows that were not drawn, from a simple random sample without replacement of the same rows:
 * rest · mean ± s² (rest² / n + rest). That is the usual N² (1 − n/N) s² / n with its finite-population correction for
 * N = n + rest (Cochran, Sampling Techniques, 2.6), so it is 0 when nothing is left.
 */
export function predictRest(values: readonly number[], rest: number): Amount {
  const count = values.length;
  if (rest === 0 || count === 0) return nothing;
  return {
    expected: rest * mean(values),
    variance: sampleVariance(values) * (rest ** 2 / count + rest),
  };
}

/** The same for rows whose size is known and goes with the value (prompt tokens by bytes): the ratio estimator. */
export function predictRestBySize(
  values: readonly { readonly size: number; readonly value: number }[],
  rest: { readonly rows: number; readonly size: number },
): Amount {
  const size = sum(values.map((pair) => pair.size));
  if (size === 0)
    return predictRest(
      values.map(({ value }) => value),
      rest.rows,
    );
  const ratio = sum(values.map(({ value }) => value)) / size;
  const residuals = values.map((pair) => pair.value - ratio * pair.size);
  return { expected: ratio * rest.size, variance: predictRest(residuals, rest.rows).variance };
}

export function add(...amounts: readonly Amount[]): Amount {
  return {
    expected: sum(amounts.map(({ expected }) => expected)),
    variance: sum(amounts.map(({ variance }) => variance)),
  };
}

/** An uncertain count of independent rows of an uncertain kind: count · mean, both errors by the delta method. */
export function timesEach(count: Amount, values: readonly number[]): Amount {
  const each = mean(values);
  const spread =
    values.length === 0 ? 0 : sampleVariance(values) * (count.expected ** 2 / values.length + count.expected);
  return { expected: count.expected * each, variance: each ** 2 * count.variance + spread };
}

/** The 95 % range, cut to what is possible. */
export function rangeOf(
  amount: Amount,
  possible: { readonly atMost: number },
): { low: number; high: number } {
  const reach = Z_95 * Math.sqrt(amount.variance);
  const within = (value: number): number => Math.min(possible.atMost, Math.max(0, value));
  return { low: within(amount.expected - reach), high: within(amount.expected + reach) };
}
