import { describe, expect, test } from 'vitest';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const runners: { vitestCounts(json: string): Counts; pytestCounts(xml: string): Counts } = await import(
  new URL('test-runners.mjs', import.meta.url).href
);

describe('counts of a test run', () => {
  test('vitest: a file that cannot be loaded is a failure', () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 0,
      testResults: [
        { status: 'failed', assertionResults: [{ status: 'failed' }] },
        { status: 'failed', assertionResults: [] },
        { status: 'passed', assertionResults: [{ status: 'passed' }] },
      ],
    };
    expect(runners.vitestCounts(JSON.stringify(report))).toEqual({ passed: 3, failed: 2, skipped: 2 });
  });

  test('pytest: errors of collection count as failures', () => {
    const xml =
      '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="0.5">';
    expect(runners.pytestCounts(xml)).toEqual({ passed: 4, failed: 3, skipped: 3 });
  });

  test.each(['', '<testsuites/>', '<testsuite name="pytest">'])(
    'pytest: a report without counts is refused: %s',
    (xml) => {
      expect(() => runners.pytestCounts(xml)).toThrow(/no <testsuite>|cannot be read/);
    },
  );
});
