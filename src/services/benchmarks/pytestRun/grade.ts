/** From what pytest reported to the verdict. Pure. */
import { gradeOf, type AttemptEnd, type ExpectedTests, type Grade } from '../grading/index.ts';
import type { PytestResult } from './types.ts';

/** `inProcess`: whether the tests import the sample, so that a file that cannot be collected is the sample's doing. */
export function gradeOfPytest(
  result: PytestResult,
  expected: ExpectedTests,
  { inProcess }: { readonly inProcess: boolean },
): Grade {
  const outcomes = result.tests.map(({ id, outcome }) => ({
    id,
    outcome: outcome === 'passed' ? ('passed' as const) : ('failed' as const),
  }));
  return gradeOf(endOf(result, inProcess), expected, outcomes, result.log);
}

function endOf({ end, forged }: PytestResult, inProcess: boolean): AttemptEnd {
  if (forged) return { kind: 'forged', detail: 'it meddled with its own tests' };
  switch (end.kind) {
    case 'finished':
      return end;
    case 'notCollected':
      return { kind: inProcess ? 'importFailed' : 'harness', detail: end.detail };
    case 'died':
      // In the tests' own process, what ran before its death proves nothing: it may have decided that, too.
      return { kind: inProcess ? 'resultsIncomplete' : 'sampleEnded', detail: end.detail };
    case 'timeout':
    case 'harness':
      return end;
  }
}
