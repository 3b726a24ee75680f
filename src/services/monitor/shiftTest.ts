/** Whether one set of answers succeeds less, or more, often than another to the same tasks: exact, given the tasks. Pure. */
import { hypergeometric, sumOf, tails } from './hypergeometric.ts';

export interface Count {
  readonly samples: number;
  readonly successes: number;
}

/** One task: what the baseline did and what the look did. */
export interface Stratum {
  readonly baseline: Count;
  readonly look: Count;
}

export interface ShiftTest {
  /** One-sided p-values: successes this few, or this many, if the look answers as the baseline does. */
  readonly lower: number;
  readonly higher: number;
}

/**
 * If both sets of a task's answers are draws with one chance of success, then, given the task's successes in all, those
 * of the look are hypergeometric, whatever the chance is. Tasks are independent, so the look's successes in all have the
 * convolution of the tasks' distributions: the exact conditional test of a common shift of odds over strata
 * (Cox 1970, Analysis of Binary Data, ch. 5; Birch 1964, JRSS B 26).
 */
export function shiftTest(strata: readonly Stratum[]): ShiftTest {
  const parts = strata.map(({ baseline, look }) =>
    hypergeometric(baseline.samples + look.samples, baseline.successes + look.successes, look.samples),
  );
  const seen = strata.reduce((sum, { look }) => sum + look.successes, 0);
  const { atMost, atLeast } = tails(sumOf(parts), seen);
  return { lower: atMost, higher: atLeast };
}
