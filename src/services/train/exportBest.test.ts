import { expect, test } from 'vitest';
import type { CheckpointEntry } from '../store/index.ts';
import { bestFirst } from './exportBest.ts';

const entry = (step: number, evalLoss: number | null): CheckpointEntry => ({
  step,
  epoch: 1,
  key: `step-${step}`,
  sha256: '0'.repeat(64),
  evalLoss,
  final: false,
});

test.each<[string, [number, number | null][], number[]]>([
  [
    'the lowest loss, then those without one, newest first',
    [
      [5, null],
      [10, 2],
      [15, 1],
      [20, null],
    ],
    [15, 10, 20, 5],
  ],
  [
    'of equal losses the newer',
    [
      [10, 1],
      [20, 1],
    ],
    [20, 10],
  ],
  [
    'nothing measured: the newest',
    [
      [10, null],
      [20, null],
    ],
    [20, 10],
  ],
  ['nothing there', [], []],
])('%s', (_name, entries, steps) => {
  expect(bestFirst(entries.map(([step, loss]) => entry(step, loss))).map(({ step }) => step)).toEqual(steps);
});
