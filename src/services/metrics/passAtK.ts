/**
 * The unbiased estimator of pass@k: the chance that at least one of k samples, drawn without replacement from
 * the n that were graded, is a success. 1 − C(n−c, k) / C(n, k), computed as the product
 * 1 − ∏_{i=n−c+1..n} (1 − k/i), which never forms a large binomial.
 * Source: Chen et al. 2021, "Evaluating Large Language Models Trained on Code" (arXiv 2107.03374), section 2.1.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (![n, c, k].every(Number.isInteger))
    throw new RangeError(`pass@k needs whole numbers, not n=${n}, c=${c}, k=${k}`);
  if (k < 1 || n < k) throw new RangeError(`pass@k needs 1 ≤ k ≤ n, not k=${k}, n=${n}`);
  if (c < 0 || c > n) throw new RangeError(`pass@k needs 0 ≤ c ≤ n, not c=${c}, n=${n}`);
  if (n - c < k) return 1;
  let noSuccess = 1;
  for (let i = n - c + 1; i <= n; i += 1) noSuccess *= 1 - k / i;
  return 1 - noSuccess;
}
