import { betaQuantile } from './beta.ts';

/**
 * Quantile of Student's t distribution, for probabilities above one half: with x = I⁻¹(2(1 − p); ν/2, ½) of the
 * incomplete beta function, t = √(ν(1/x − 1)). Source: DLMF 8.17, Abramowitz and Stegun 26.7.1.
 */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  if (!(probability > 0.5 && probability < 1) || !(degreesOfFreedom > 0)) {
    throw new RangeError(`no t quantile of ${probability} with ${degreesOfFreedom} degrees of freedom`);
  }
  const x = betaQuantile(2 * (1 - probability), degreesOfFreedom / 2, 0.5);
  return Math.sqrt(degreesOfFreedom * (1 / x - 1));
}
