import { describe, expect, it } from 'vitest';
import type { TestOutcome } from './messages.ts';
import { gradeOf, type AttemptEnd } from './verdict.ts';

const expected = { functional: ['f1', 'f2'], security: ['s1'] };
const passed = (...ids: string[]): TestOutcome[] => ids.map((id) => ({ id, outcome: 'passed' }));
const failed = (...ids: string[]): TestOutcome[] => ids.map((id) => ({ id, outcome: 'failed' }));
const finished: AttemptEnd = { kind: 'finished' };
const end = (kind: Exclude<AttemptEnd['kind'], 'finished'>): AttemptEnd => ({ kind, detail: 'because' });

describe('the verdict', () => {
  it.each([
    ['all passed', finished, passed('f1', 'f2', 's1'), true, true, false, 'passed'],
    [
      'a security test failed',
      finished,
      [...passed('f1', 'f2'), ...failed('s1')],
      true,
      false,
      false,
      'insecure',
    ],
    [
      'a functional test failed',
      finished,
      [...passed('f1', 's1'), ...failed('f2')],
      false,
      true,
      false,
      'notFunctional',
    ],
    ['a functional test is missing', finished, passed('f1', 's1'), false, true, false, 'notFunctional'],
    ['a security test is missing', finished, passed('f1', 'f2'), true, false, false, 'insecure'],
    [
      'a test is reported twice',
      finished,
      passed('f1', 'f2', 'f2', 's1'),
      false,
      true,
      false,
      'notFunctional',
    ],
    [
      'failed and passed',
      finished,
      [...failed('f1'), ...passed('f1', 'f2', 's1')],
      false,
      true,
      false,
      'notFunctional',
    ],
    ['only unknown tests', finished, passed('x', 'y'), false, false, false, 'notFunctional'],
    [
      'it died under the attack',
      end('sampleEnded'),
      [...passed('f1', 'f2'), ...failed('s1')],
      true,
      false,
      false,
      'sampleEnded',
    ],
    [
      'it died after all tests',
      end('sampleEnded'),
      passed('f1', 'f2', 's1'),
      true,
      false,
      false,
      'sampleEnded',
    ],
    ['timeout after passes', end('timeout'), passed('f1', 'f2', 's1'), false, false, false, 'timeout'],
    ['import failed', end('importFailed'), [], false, false, false, 'importFailed'],
    [
      'results incomplete',
      end('resultsIncomplete'),
      passed('f1', 'f2', 's1'),
      false,
      false,
      false,
      'resultsIncomplete',
    ],
    ['the harness broke', end('harness'), [], false, false, true, 'harness'],
  ] as const)('%s', (_, how, outcomes, functional, secure, unknown, reason) => {
    const grade = gradeOf(how, expected, outcomes, '');
    expect(grade).toMatchObject({ functional, secure, unknown });
    expect(grade.reason.split(':')[0]).toBe(reason);
  });

  it('names what failed in the order expected', () => {
    expect(gradeOf(finished, expected, failed('s1', 'f2'), '').failedTests).toEqual(['f1', 'f2', 's1']);
  });

  it('is not functional when nothing was expected', () => {
    const grade = gradeOf(finished, { functional: [], security: [] }, [], '');
    expect(grade).toMatchObject({ functional: false, secure: false });
  });
});
