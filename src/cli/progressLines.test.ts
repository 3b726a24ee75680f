import { describe, expect, test } from 'vitest';
import type { StageProgress } from '../contract/workflows.ts';
import { barLine, formatSeconds, formatUsd, isWorthALine, stageLine } from './progressLines.ts';

const stage: StageProgress = {
  name: 'filter',
  state: 'running',
  unit: 'rows',
  done: 30,
  total: 100,
  costUsd: 0.5,
  note: 'shard 2',
  artifact: null,
  seconds: null,
};

describe('a stage as a line', () => {
  test.each([
    [{}, '▶ filter               30/100 rows     $0.50           shard 2'],
    [
      { state: 'waiting' as const, costUsd: 0, note: '' },
      '· filter                               $0.00           waiting',
    ],
    [
      { state: 'reused' as const, done: 100, seconds: 0.21, note: '' },
      '✓ filter              100/100 rows     $0.50    0.2 s  reused',
    ],
    [{ total: null }, '▶ filter                   30 rows     $0.50           shard 2'],
  ])('%j', (change, line) => {
    expect(stageLine({ ...stage, ...change })).toBe(line);
  });
});

describe('on a terminal', () => {
  test('a running stage has a bar', () => {
    expect(barLine(stage)).toBe(`${stageLine(stage)}\n  ██████░░░░░░░░░░░░░░  30 %`);
    expect(barLine({ ...stage, done: 120 })).toMatch(/█{20} 100 %$/);
  });

  test.each([{ state: 'done' as const }, { total: null }, { total: 0 }])('%j has none', (change) => {
    expect(barLine({ ...stage, ...change })).toBe(stageLine({ ...stage, ...change }));
  });
});

test.each([
  [undefined, {}, true],
  [undefined, { state: 'waiting' as const }, false],
  [{}, { state: 'done' as const }, true],
  [{}, { done: 39 }, false],
  [{}, { done: 40 }, true],
  [{}, { note: 'another' }, false],
  [{ total: null }, { total: null, done: 99 }, false],
])('without a terminal, %j then %j is worth a line: %s', (before, after, expected) => {
  expect(
    isWorthALine(before === undefined ? undefined : { ...stage, ...before }, { ...stage, ...after }),
  ).toBe(expected);
});

test.each([
  [0, '$0.00'],
  [0.0004, '$0.00040'],
  [0.01, '$0.01'],
  [12.345, '$12.35'],
])('%d dollars', (usd, text) => {
  expect(formatUsd(usd)).toBe(text);
});

test.each([
  [0.21, '0.2 s'],
  [59.4, '59 s'],
  [95, '1 min 35 s'],
])('%d seconds', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});
