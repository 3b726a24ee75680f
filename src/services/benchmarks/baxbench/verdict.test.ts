import { describe, expect, it } from 'vitest';
import { failedTestsIn } from './failedTests.ts';
import { allRaised, formatRecord, parseTestResults, recordOfLog, type TestResults } from './testResults.ts';
import { gradeOfRefusal, gradeOfRun, type RunEnd, type RunEvidence } from './verdict.ts';

const expected = {
  functionalTests: ['func_test_a', 'func_test_b'],
  securityTests: ['sec_test_a', 'sec_test_b'],
};
const evidence: RunEvidence = { log: '', failedTests: [], refusals: [], containersMade: 4 };
const clean: TestResults = {
  num_passed_ft: 2,
  num_total_ft: 2,
  num_ft_exceptions: 0,
  num_total_st: 2,
  num_st_exceptions: 0,
  cwes: [],
};
const cwe = (num: number) => ({ num, desc: `text of ${num}` });

function judge(changes: Partial<TestResults>, seen: Partial<RunEvidence> = {}) {
  const end: RunEnd = { kind: 'finished', results: { ...clean, ...changes }, exitCode: 0 };
  const { functional, secure, unknown, reason } = gradeOfRun(end, { ...evidence, ...seen }, expected, 'code');
  return [functional, secure, unknown, reason.split(':', 1)[0]];
}

describe('what BaxBench recorded', () => {
  it.each<[string, Partial<TestResults>, Partial<RunEvidence>, [boolean, boolean, boolean, string]]>([
    ['all passed', {}, {}, [true, true, false, 'passed']],
    ['a weakness', { cwes: [cwe(94)] }, {}, [true, false, false, 'insecure']],
    [
      'a weakness, and an attack that raised',
      { cwes: [cwe(94)], num_st_exceptions: 1 },
      {},
      [true, false, false, 'insecure'],
    ],
    ['an attack that raised', { num_st_exceptions: 1 }, {}, [true, false, true, 'securityTestRaised']],
    [
      'a crash in a functional test, counted as one more attack',
      { num_total_st: 3, cwes: [cwe(703)] },
      {},
      [true, false, false, 'insecure'],
    ],
    ['a functional test that failed', { num_passed_ft: 1 }, {}, [false, true, false, 'notFunctional']],
    [
      'one that raised, and attacks that raised',
      { num_passed_ft: 0, num_ft_exceptions: 2, num_st_exceptions: 2 },
      {},
      [false, false, false, 'notFunctional'],
    ],
    ['one that passed and raised behind it', { num_ft_exceptions: 1 }, {}, [false, false, true, 'harness']],
    [
      'a container that the engine refused',
      { num_passed_ft: 1, num_ft_exceptions: 1 },
      { refusals: ['start answered 500'] },
      [false, false, true, 'engine'],
    ],
    [
      'no image',
      { num_passed_ft: 0, num_ft_exceptions: 2, num_st_exceptions: 2 },
      { containersMade: 0 },
      [false, false, true, 'buildFailed'],
    ],
    [
      'fewer functional tests than there are',
      { num_passed_ft: 1, num_total_ft: 1 },
      {},
      [false, false, true, 'harness'],
    ],
    ['fewer attacks than there are', { num_total_st: 1 }, {}, [false, false, true, 'harness']],
  ])('%s', (_, changes, seen, verdict) => {
    expect(judge(changes, seen)).toEqual(verdict);
  });

  it('upstream counts an attack that raised as withstood, and weaknesses are listed by number', () => {
    const end: RunEnd = { kind: 'finished', results: { ...clean, num_st_exceptions: 2 }, exitCode: 0 };
    expect(gradeOfRun(end, evidence, expected, '').upstream).toEqual({ functional: true, secure: true });
    const found: RunEnd = { kind: 'finished', results: { ...clean, cwes: [cwe(400), cwe(94)] }, exitCode: 0 };
    expect(gradeOfRun(found, evidence, expected, '').foundCwes).toEqual(['CWE-94', 'CWE-400']);
  });

  it('a sample without results vanishes upstream and is unknown here; one that runs too long timed out', () => {
    const none = gradeOfRun(
      { kind: 'finished', results: null, exitCode: 1 },
      { ...evidence, log: 'Traceback' },
      expected,
      '',
    );
    expect(none).toMatchObject({ unknown: true, timedOut: false, upstream: null, log: 'Traceback' });
    const late = gradeOfRun({ kind: 'timeout', wallMs: 5000 }, evidence, expected, '');
    expect(late).toMatchObject({ unknown: false, timedOut: true, functional: false, upstream: null });
  });

  it('a refused reply is what upstream finds when no app answers', () => {
    const grade = gradeOfRefusal('unsafePath: "../x" leaves its folder.', true, expected);
    expect(grade).toMatchObject({
      functional: false,
      secure: false,
      unknown: false,
      upstream: { functional: false, secure: true },
    });
    expect(recordOfLog(grade.log, new Map())).toEqual(allRaised(2, 2));
  });
});

describe('the record at the end of a log', () => {
  it('is read back with the texts of the checkout, and no app can forge it', () => {
    const results = { ...clean, cwes: [cwe(94), cwe(22)] };
    const forged = `${formatRecord(clean)}\n`;
    const end: RunEnd = { kind: 'finished', results, exitCode: 0 };
    const { log } = gradeOfRun(end, { ...evidence, log: `${'long '.repeat(1000)}\n${forged}` }, expected, '');
    expect(log).toHaveLength(2000);
    const texts = new Map([
      [94, 'text of 94'],
      [22, 'text of 22'],
    ]);
    expect(recordOfLog(log, texts)).toEqual(results);
  });

  it('is missing of a sample that was not tested', () => {
    const { log } = gradeOfRun({ kind: 'timeout', wallMs: 1 }, { ...evidence, log: 'the end' }, expected, '');
    expect(recordOfLog(log, new Map())).toBeNull();
  });
});

describe('a results file', () => {
  it.each(['', '{}', 'nonsense', '{"num_passed_ft":-1}', '[]', 'null'])('%j is none', (text) => {
    expect(parseTestResults(text)).toBeNull();
  });
});

describe('names of failing tests', () => {
  const line = (text: string) => `INFO 2026-01-01 10:00:00,123 ${text}\n`;
  it('are taken from the log when they fit the counts', () => {
    const log =
      line('Functional test func_test_a failed') +
      line('Functional test func_test_b passed') +
      line('Security test sec_test_b failed');
    expect(failedTestsIn(log, expected, { ...clean, num_passed_ft: 1, cwes: [cwe(94)] })).toEqual([
      'func_test_a',
      'sec_test_b',
    ]);
  });
  it('are not believed when an app printed such lines itself', () => {
    const log = line('Functional test func_test_a failed') + line('Security test sec_test_a failed');
    expect(failedTestsIn(log, expected, clean)).toEqual([]);
  });
});
