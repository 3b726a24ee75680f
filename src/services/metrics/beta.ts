/** The beta distribution: cumulative probability and quantile. Checked in the tests against published tables. */

/** Accuracy of the continued fraction and of the bisection. */
const EPSILON = 1e-15;
const MAX_ITERATIONS = 10_000;
/** Keeps Lentz's recurrence away from a division by zero. */
const TINY = 1e-300;

/** Lanczos approximation of ln Γ(x), x > 0, with g = 7 and nine coefficients (P. Godfrey); relative error below 1e-14. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const base = x + 6.5;
  const sum = LANCZOS.reduce(
    (total, coefficient, i) => total + (i === 0 ? coefficient : coefficient / (x - 1 + i)),
    0,
  );
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}

/**
 * Regularised incomplete beta function I_x(a, b) for a, b > 0: the probability that a Beta(a, b) variable is at
 * most x. Continued fraction of DLMF 8.17.22, evaluated by the modified Lentz method; where it converges slowly
 * the symmetry I_x(a, b) = 1 − I_{1−x}(b, a) of DLMF 8.17.4 is used.
 */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, b, a);
  const logFront =
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b) - Math.log(a);
  return Math.exp(logFront) / continuedFraction(x, a, b);
}

/** 1 + d₁/(1 + d₂/(1 + …)) of DLMF 8.17.22. */
function continuedFraction(x: number, a: number, b: number): number {
  let fraction = 1;
  let numerator = 1;
  let denominator = 0;
  for (let i = 1; i <= MAX_ITERATIONS; i += 1) {
    const m = Math.floor(i / 2);
    const term =
      i % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / awayFromZero(1 + term * denominator);
    numerator = awayFromZero(1 + term / numerator);
    const change = numerator * denominator;
    fraction *= change;
    if (Math.abs(change - 1) < EPSILON) return fraction;
  }
  return fraction;
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** The x with I_x(a, b) = probability, by bisection: the function is monotone, so it always ends. */
export function betaQuantile(probability: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 200 && high - low > EPSILON * high; i += 1) {
    const middle = (low + high) / 2;
    if (betaCdf(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
