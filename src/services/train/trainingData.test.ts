import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseHeldOut, type SplitRow } from './trainingData.ts';

const rowsOf = (groups: readonly number[]): SplitRow[] =>
  groups.map((group, index) => ({ index, id: `row-${index}`, group }));

test('no group is torn apart, and the share is not exceeded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(8), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
      (groups, evalShare, seed) => {
        const rows = rowsOf(groups);
        const heldOut = chooseHeldOut(rows, { evalShare, seed });
        expect(heldOut.size).toBeLessThanOrEqual(Math.round(rows.length * evalShare));
        expect(heldOut.size).toBeLessThan(rows.length);
        for (const group of new Set(groups)) {
          const sides = new Set(
            rows.filter((row) => row.group === group).map(({ index }) => heldOut.has(index)),
          );
          expect(sides.size).toBe(1);
        }
      },
    ),
  );
});

test('rows of their own are split to the share, the same way for the same seed', () => {
  const rows = rowsOf(Array.from({ length: 100 }, (_, index) => index));
  const heldOut = chooseHeldOut(rows, { evalShare: 0.1, seed: 7 });
  expect(heldOut.size).toBe(10);
  expect(chooseHeldOut(rows, { evalShare: 0.1, seed: 7 })).toEqual(heldOut);
  expect(chooseHeldOut(rows, { evalShare: 0.1, seed: 8 })).not.toEqual(heldOut);
});
