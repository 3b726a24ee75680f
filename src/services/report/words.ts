/** Numbers and findings as a reader meets them. */
import type { Difference, Score } from '../../contract/summary.ts';
import type { MetricName } from '../metrics/index.ts';

export const metricLabels: Readonly<Record<MetricName, string>> = {
  func: 'func',
  secure: 'secure',
  funcSec: 'func-and-secure',
};

/** Below this chance a difference is called one, if its interval agrees. */
const SIGNIFICANCE = 0.05;

const MINUS = '−';

export function percent(share: number): string {
  return `${hundredths(share)} %`;
}

/** Sums of shares carry noise in the last binary digits, which must not decide how a tie is rounded. */
function hundredths(share: number): string {
  return Number((share * 100).toPrecision(12)).toFixed(1);
}

/** `45.3 % [38.1, 52.0]` */
export function scoreText(score: Score, exact = false): string {
  return `${percent(score.value)} ${intervalText(score)}${exact ? '*' : ''}`;
}

export function intervalText({ low, high }: Pick<Score, 'low' | 'high'>): string {
  return `[${hundredths(low)}, ${hundredths(high)}]`;
}

/** A difference of shares in points, signed: `+4.2`, `−3.0`. */
export function points(value: number): string {
  const rounded = hundredths(Math.abs(value));
  if (rounded === '0.0') return rounded;
  return `${value < 0 ? MINUS : '+'}${rounded}`;
}

export function differenceText({ value, low, high, pValue }: Difference): string {
  return `${points(value)} [${points(low)}, ${points(high)}] p ${pText(pValue)}`;
}

export function pText(pValue: number): string {
  return pValue < 0.001 ? '< 0.001' : pValue.toFixed(pValue < 0.1 ? 3 : 2);
}

/** A p-value or level of any size: `0.034`, `1.2e-7`. What is rarer than a test can hold is 0 there. */
export function scientific(probability: number): string {
  if (probability === 0) return '< 1e-280';
  return probability < 0.001 ? probability.toExponential(1) : String(Number(probability.toPrecision(2)));
}

/** Test and interval must agree: each has a weak side when scenarios are few. */
export function isDistinguishable({ low, high, pValue }: Difference): boolean {
  return pValue < SIGNIFICANCE && (low > 0 || high < 0);
}

export interface Evidence {
  readonly tasks: number;
  readonly scenarios: number;
}

/** What the numbers allow to say, in a sentence. */
export function conclusion(label: string, difference: Difference, evidence: Evidence): string {
  const { value, low, high, pValue, n } = difference;
  const basis = `n = ${plural(n, 'sample')} a model (${plural(evidence.tasks, 'task')} of ${plural(evidence.scenarios, 'scenario')})`;
  const figures = `95 % interval ${points(low)} to ${points(high)}, p ${pText(pValue).replace(/^(?=\d)/, '= ')}`;
  if (!isDistinguishable(difference)) {
    return `${label}: the difference of ${points(value)} points is not distinguishable from noise at ${basis}; ${figures}.`;
  }
  return `${label} ${value > 0 ? 'rose' : 'fell'} by ${hundredths(Math.abs(value))} points at ${basis}; ${figures}.`;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

export function usd(amount: number): string {
  return `$${amount.toFixed(amount > 0 && amount < 0.1 ? 4 : 2)}`;
}

/** `8 s`, `4 min 05 s`, `3 h 20 min` */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
