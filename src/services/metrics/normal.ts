/**
 * Cumulative probability of the standard normal distribution, to an absolute error near 1e-16 for |z| < 8:
 * Φ(z) = ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …). Source: Abramowitz and Stegun 26.2.11.
 */
export function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z < 0 ? 0 : 1;
  let term = z;
  let sum = 0;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= (z * z) / odd;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
