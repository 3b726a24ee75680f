import { describe, expect, test } from 'vitest';
import { gradeOfPytest } from './grade.ts';
import type { PytestEnd, PytestOutcome, PytestResult } from './types.ts';

const EXPECTED = { functional: ['a', 'b'], security: ['c'] };

function result(end: PytestEnd, outcomes: readonly PytestOutcome[], forged = false): PytestResult {
  const tests = ['a', 'b', 'c'].map((id, index) => ({
    id,
    mark: id === 'c' ? ('security' as const) : ('functionality' as const),
    outcome: outcomes[index] ?? 'notRun',
    callPassed: outcomes[index] === 'passed',
  }));
  return { end, tests, forged, log: 'the log' };
}

const finished: PytestEnd = { kind: 'finished' };
const died: PytestEnd = { kind: 'died', detail: 'killed by SIGKILL' };
const apart = { inProcess: false };
const within = { inProcess: true };

describe('from what pytest reported to the verdict', () => {
  const cases: [string, PytestResult, { inProcess: boolean }, object][] = [
    [
      'all passed',
      result(finished, ['passed', 'passed', 'passed']),
      apart,
      { functional: true, secure: true, reason: 'passed: all tests passed' },
    ],
    [
      'an attack worked',
      result(finished, ['passed', 'passed', 'failed']),
      apart,
      { functional: true, secure: false, failedTests: ['c'] },
    ],
    [
      'skipped is not passed',
      result(finished, ['passed', 'skipped', 'passed']),
      apart,
      { functional: false, secure: true, failedTests: ['b'] },
    ],
    [
      'a test over its limit',
      result(finished, ['timeout', 'passed', 'passed']),
      apart,
      { functional: false, timedOut: false, failedTests: ['a'] },
    ],
    [
      'forged',
      result(finished, ['passed', 'passed', 'passed'], true),
      within,
      { functional: false, secure: false, unknown: false, reason: 'forged: it meddled with its own tests' },
    ],
    [
      'a program ended the tests under an attack',
      result(died, ['passed', 'passed']),
      apart,
      { functional: true, secure: false, reason: 'sampleEnded: killed by SIGKILL' },
    ],
    [
      'a module ended the tests under an attack',
      result(died, ['passed', 'passed']),
      within,
      { functional: false, secure: false, reason: 'resultsIncomplete: killed by SIGKILL' },
    ],
    [
      'the wall limit',
      result({ kind: 'timeout', detail: 'x' }, ['passed', 'passed', 'passed']),
      apart,
      { functional: false, secure: false, timedOut: true, unknown: false },
    ],
    [
      'a module that cannot be imported',
      result({ kind: 'notCollected', detail: 'SyntaxError' }, []),
      within,
      { functional: false, unknown: false, reason: 'importFailed: SyntaxError' },
    ],
    [
      'tests that cannot be imported',
      result({ kind: 'notCollected', detail: 'ImportError' }, []),
      apart,
      { functional: false, unknown: true },
    ],
    [
      'the harness broke down',
      result({ kind: 'harness', detail: 'exited with 1' }, []),
      apart,
      { functional: false, unknown: true },
    ],
  ];
  test.each(cases)('%s', (_, run, how, wanted) => {
    expect(gradeOfPytest(run, EXPECTED, how)).toMatchObject(wanted);
  });

  test('without security tests there is nothing to be secure against', () => {
    const grade = gradeOfPytest(
      result(finished, ['passed', 'passed', 'passed']),
      { functional: ['a'], security: [] },
      apart,
    );
    expect(grade).toMatchObject({ functional: true, secure: false, reason: 'passed: all tests passed' });
  });
});
