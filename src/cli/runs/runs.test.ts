import { describe, expect, test } from 'vitest';
import { reportFilesOf } from './find.ts';
import { queryOf, stateOf, type ListedRun } from './list.ts';
import { showRuns } from './show.ts';
import { runStates, statusOf } from './states.ts';

const run: ListedRun = {
  workflowId: 'mine',
  runId: 'r',
  type: 'secpi',
  state: 'running',
  stage: 'distil',
  recipe: 'quick',
  model: null,
  costUsd: 0.5,
  funcSec: null,
  regression: null,
  startedAt: '2026-01-02T03:04:05.000Z',
  closedAt: null,
  parent: null,
};

describe('a list of runs', () => {
  test('stands in columns', () => {
    const nightly: ListedRun = {
      ...run,
      workflowId: 'nightly-2026-01-02',
      type: 'reevaluate',
      state: 'completed',
      stage: null,
      costUsd: null,
      funcSec: 0.4321,
      regression: true,
      closedAt: '2026-01-02T03:05:06.000Z',
    };
    expect(showRuns([run, nightly], Date.parse('2026-01-02T03:04:45.000Z'))).toBe(
      [
        'run                 type        state      stage   cost   func-sec           started           took',
        'mine                secpi       running    distil  $0.50  -                  2026-01-02 03:04  40 s',
        'nightly-2026-01-02  reevaluate  completed  -       -      43.2 % regression  2026-01-02 03:04  1 min 1 s',
      ].join('\n'),
    );
  });

  test('shows no control characters of a name that somebody chose', () => {
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    expect(showRuns([{ ...run, workflowId: '\u001b[2Jx' }], 0)).not.toMatch(/\u001b/u);
  });

  test('says how to start the first', () => {
    expect(showRuns([], 0)).toContain('npx secpi run');
  });
});

describe('the query', () => {
  test('leaves out what other programs run', () => {
    expect(queryOf({})).toMatch(/^WorkflowType IN \('secpi', .*'experiment'\)$/);
    expect(queryOf({ type: 'sweep', state: 'timed-out' })).toBe(
      "WorkflowType IN ('sweep') AND ExecutionStatus = 'TimedOut'",
    );
  });

  test('has a state for every word', () => {
    expect(runStates.map((state) => statusOf[state])).toHaveLength(new Set(Object.values(statusOf)).size);
    expect(stateOf('CANCELLED')).toBe('cancelled');
  });
});

describe('the files of a report', () => {
  const file = (name: string) => ({ uri: `s3://b/${name}`, sha256: 'a' });
  const files = { summary: file('s'), report: file('r'), markdown: file('m') };

  test.each([
    ['of a chain', { ...files, costUsd: 1 }],
    ['of an evaluation', { report: files, func: {} }],
  ])('%s', (_, result) => {
    expect(reportFilesOf(result)).toEqual(files);
  });

  test.each([{ report: null }, { steps: 3 }, null])('%j has none', (result) => {
    expect(reportFilesOf(result)).toBeNull();
  });
});
