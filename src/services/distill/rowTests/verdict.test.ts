import { describe, expect, it } from 'vitest';
import { controlDefectOf, defectOf, type ExpectedTests, type TestReport, type TestRun } from './verdict.ts';

const test = (id: string, outcome: 'passed' | 'failed'): TestReport => ({
  type: 'test',
  id,
  outcome,
  why: 'why',
});
const end = (status: number): TestReport => ({ type: 'end', status });
const exited = { outcome: 'exited', exitCode: 0, signalName: null } as const;
const run = (reports: TestReport[], ended: TestRun['end'] = exited): TestRun => ({ reports, end: ended });
const two: ExpectedTests = { ids: ['a', 'b'], mayGrow: false };

describe('defectOf', () => {
  it('finds none where all expected tests passed and the framework said so', () => {
    expect(defectOf(run([test('a', 'passed'), test('b', 'passed'), end(0)]), two)).toBeNull();
  });

  it.each<[string, TestRun, string]>([
    ['a test failed', run([test('a', 'passed'), test('b', 'failed'), end(1)]), 'b: why'],
    ['an early exit', run([test('a', 'passed')]), 'b was not reported'],
    [
      'an early exit with all said',
      run([test('a', 'passed'), test('b', 'passed')]),
      'did not come to their end',
    ],
    ['nothing at all', run([]), 'a was not reported'],
    [
      'a report twice',
      run([test('a', 'passed'), test('a', 'passed'), test('b', 'passed'), end(0)]),
      'more often than it ran',
    ],
    ['a test nobody expects', run([test('c', 'passed'), end(0)]), 'more often than it ran'],
    [
      'a report after the end',
      run([test('a', 'passed'), end(0), test('b', 'passed')]),
      'did not come to their end',
    ],
    [
      'two ends',
      run([test('a', 'passed'), test('b', 'passed'), end(0), end(0)]),
      'did not come to their end',
    ],
    ['another status', run([test('a', 'passed'), test('b', 'passed'), end(3)]), 'status 3'],
    ['an import that fails', run([{ type: 'broken', why: 'no x' }, end(2)]), 'cannot be imported'],
    ['a timeout', run([], { outcome: 'timeout', exitCode: null, signalName: null }), 'wall limit'],
    [
      'a kill after all passed',
      run([test('a', 'passed'), test('b', 'passed'), end(0)], {
        outcome: 'exited',
        exitCode: null,
        signalName: 'SIGKILL',
      }),
      'SIGKILL',
    ],
    [
      'the memory limit',
      run([test('a', 'passed'), test('b', 'passed'), end(0)], {
        outcome: 'memoryLimit',
        exitCode: null,
        signalName: null,
      }),
      'memoryLimit',
    ],
  ])('%s', (_, given, defect) => expect(defectOf(given, two)).toContain(defect));

  it('lets sub-tests come up where they may, as long as they pass', () => {
    const grows = { ids: ['a', 'a'], mayGrow: true };
    expect(
      defectOf(run([test('sub', 'passed'), test('a', 'passed'), test('a', 'passed'), end(0)]), grows),
    ).toBeNull();
    expect(defectOf(run([test('sub', 'failed'), test('a', 'passed'), end(1)]), grows)).toBe('sub: why');
    expect(defectOf(run([test('a', 'passed'), end(0)]), grows)).toContain('not reported');
  });
});

describe('controlDefectOf', () => {
  it('finds none where every test failed', () => {
    expect(controlDefectOf(run([test('a', 'failed'), test('b', 'failed'), end(1)]), two)).toBeNull();
  });

  it.each<[string, TestRun, string]>([
    [
      'a test that passes',
      run([test('a', 'failed'), test('b', 'passed'), end(1)]),
      'b passes where it must fail',
    ],
    ['all that pass', run([test('a', 'passed'), test('b', 'passed'), end(0)]), 'meddles with its tests'],
    ['an early exit', run([test('a', 'failed')]), 'the control run: b was not reported'],
    ['a forged status', run([test('a', 'failed'), test('b', 'failed'), end(0)]), 'status 0'],
  ])('%s', (_, given, defect) => expect(controlDefectOf(given, two)).toContain(defect));
});
