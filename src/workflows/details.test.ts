import { describe, expect, it } from 'vitest';
import { renderDetails, secondsLeft, type ShownLine } from './details.ts';

const running = { state: 'running', done: 30, total: 90 } as const;

describe('the time that is left', () => {
  it('is at the mean pace since it began to be measured', () => {
    // 20 rows in 10 s, 60 to go.
    expect(secondsLeft({ atMs: 1000, done: 10 }, running, 11_000)).toBe(30);
  });

  it('says nothing before anything was done, without an end, and of a stage that waits', () => {
    expect(secondsLeft(null, running, 11_000)).toBeNull();
    expect(secondsLeft({ atMs: 1000, done: 30 }, running, 11_000)).toBeNull();
    expect(secondsLeft({ atMs: 1000, done: 10 }, { ...running, total: null }, 11_000)).toBeNull();
    expect(secondsLeft({ atMs: 1000, done: 10 }, { ...running, state: 'paused' }, 11_000)).toBeNull();
  });

  it('is nothing at the end', () => {
    expect(secondsLeft({ atMs: 1000, done: 10 }, { ...running, done: 90 }, 11_000)).toBe(0);
  });
});

it('shows each stage with its progress, time left, cost and note', () => {
  const line: ShownLine = {
    name: 'filter',
    unit: 'rows',
    state: 'running',
    done: 30,
    total: 90,
    costUsd: 1.25,
    note: 'shard 3 | 9',
    artifact: null,
    seconds: null,
    secondsLeft: 300,
  };
  const text = renderDetails('filterDataset', [line, { ...line, name: 'later', secondsLeft: null }]);
  expect(text).toContain('| filter | running | 30 of 90 rows |  | about 5 min | $1.2500 | shard 3 \\| 9 |');
  expect(text).toContain('| later | running | 30 of 90 rows |  |  | $1.2500 |');
});
