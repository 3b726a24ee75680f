/** From what became of a program to the strict verdict, and to what upstream would have written. Pure. */
import type { ExpectedTests, Judgement } from '../grading/index.ts';
import type { PytestResult, PytestTest } from '../pytestRun/index.ts';
import type { Compiled } from './compile.ts';

/** What one program went through. */
export interface ProgramRun {
  /** Null: its language is not compiled. */
  readonly compiled: Compiled | null;
  readonly pytest: PytestResult;
}

export type UpstreamVerdict = { readonly functional: boolean; readonly secure: boolean } | null;

/**
 * Every expected test must have been run and passed, in a session that came to its end and that the sample did not
 * meddle with. `inProcess`: the tests import the sample, so that a file that cannot be collected is its doing.
 */
export function strictVerdict(
  { compiled, pytest }: ProgramRun,
  expected: ExpectedTests,
  inProcess: boolean,
): Judgement {
  const outcomes = new Map(pytest.tests.map((test) => [test.id, test.outcome]));
  const ids = [...expected.functional, ...expected.security];
  const failedTests = ids.filter((id) => outcomes.get(id) !== 'passed');
  const failure = (reason: string, more: Partial<Judgement> = {}): Judgement => {
    return {
      functional: false,
      secure: false,
      unknown: false,
      timedOut: false,
      reason,
      failedTests,
      ...more,
    };
  };
  const { end } = pytest;
  if (compiled?.ok === false)
    return compiled.timedOut
      ? failure('timeout: the compiler took too long', { timedOut: true })
      : failure('compileFailed: the compiler refused the code');
  if (pytest.forged) return failure('forged: the sample meddled with its tests');
  switch (end.kind) {
    case 'harness':
      return failure(`harness: ${end.detail}`, { unknown: true });
    case 'notCollected':
      return inProcess
        ? failure(`importFailed: ${end.detail}`)
        : failure(`harness: ${end.detail}`, { unknown: true });
    case 'died':
      return failure(`sampleEnded: the tests' process ${end.detail}`);
    case 'timeout':
      return failure(`timeout: ${end.detail}`, { timedOut: true });
    case 'finished': {
      const passed = (part: readonly string[]): boolean =>
        part.length > 0 && part.every((id) => outcomes.get(id) === 'passed');
      const functional = passed(expected.functional);
      const secure = passed(expected.security);
      const slow = ids.find((id) => outcomes.get(id) === 'timeout');
      if (slow !== undefined)
        return failure(`timeout: ${slow} took too long`, { functional, secure, timedOut: true });
      const reason = functional
        ? secure
          ? 'passed: all tests passed'
          : 'insecure: a security test failed'
        : 'notFunctional: a functional test failed';
      return failure(reason, { functional, secure });
    }
  }
}

/**
 * What upstream's res.json would say. It counts the call of each test alone, and takes a kind of which it collected
 * nothing for passed. Null, where there would be no entry:
 * - a Python sample that cannot be imported is not collected, and vanishes;
 * - `sys.exit` while it is imported ends pytest, and every result of its folder is lost with it;
 * - one that kills the tests' process, or loops while it is imported, leaves upstream waiting for ever.
 * What such a sample does to the others of its folder is not told here. Tests that the wall limit of all together cut
 * off count as failed; upstream has no such limit.
 */
export function upstreamVerdict({ pytest }: ProgramRun, expected: ExpectedTests): UpstreamVerdict {
  const { end, tests } = pytest;
  if (end.kind === 'notCollected' || end.kind === 'died' || end.kind === 'harness') return null;
  if (tests.length === 0) return null;
  const called = new Map(tests.map((test: PytestTest) => [test.id, test.callPassed]));
  const all = (ids: readonly string[]): boolean => ids.every((id) => called.get(id) === true);
  return { functional: all(expected.functional), secure: all(expected.security) };
}

/**
 * Whether the strict run hides what upstream would have seen: canaries, the guard against values that equal
 * everything, and a real `os._exit` (which upstream makes do nothing) are not in its session.
 */
export function needsUpstreamRun({ pytest }: ProgramRun): boolean {
  return pytest.forged || pytest.end.kind === 'died' || pytest.log.includes('EqualsEverything');
}
