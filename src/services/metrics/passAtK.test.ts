import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passAtK } from './passAtK.ts';

/** Share of all subsets of k of n samples, the first c of which succeed, that hold a success. */
function byEnumeration(n: number, c: number, k: number): number {
  let subsets = 0;
  let successes = 0;
  for (let pattern = 0; pattern < 2 ** n; pattern += 1) {
    const chosen = Array.from({ length: n }, (_, i) => (pattern >> i) & 1);
    if (chosen.reduce((sum, bit) => sum + bit, 0) !== k) continue;
    subsets += 1;
    if (chosen.slice(0, c).includes(1)) successes += 1;
  }
  return successes / subsets;
}

describe('passAtK', () => {
  it.each([
    [1, 0, 1, 0],
    [1, 1, 1, 1],
    [10, 3, 1, 0.3],
    [5, 2, 2, 0.7], // 1 − C(3,2)/C(5,2) = 1 − 3/10
    [4, 1, 3, 0.75], // 1 − C(3,3)/C(4,3) = 1 − 1/4
    [20, 18, 5, 1],
    [200, 1, 100, 0.5],
  ])('of n=%i, c=%i, k=%i is %f', (n, c, k, value) => {
    expect(passAtK(n, c, k)).toBeCloseTo(value, 12);
  });

  it('equals the share of subsets with a success, for every n up to 10', () => {
    for (let n = 1; n <= 10; n += 1) {
      for (let c = 0; c <= n; c += 1) {
        for (let k = 1; k <= n; k += 1) expect(passAtK(n, c, k)).toBeCloseTo(byEnumeration(n, c, k), 12);
      }
    }
  });

  it('never falls with more successes or more tries, and stays a probability', () => {
    const counts = fc
      .integer({ min: 2, max: 5000 })
      .chain((n) =>
        fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n - 1 }), fc.integer({ min: 1, max: n - 1 })),
      );
    fc.assert(
      fc.property(counts, ([n, c, k]) => {
        const value = passAtK(n, c, k);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(passAtK(n, c + 1, k)).toBeGreaterThanOrEqual(value);
        expect(passAtK(n, c, k + 1)).toBeGreaterThanOrEqual(value);
      }),
    );
  });

  it.each([
    [3, 1, 4],
    [3, 4, 1],
    [3, -1, 1],
    [3, 1, 0],
    [3, 1.5, 1],
  ])('refuses n=%d, c=%d, k=%d', (n, c, k) => {
    expect(() => passAtK(n, c, k)).toThrow(RangeError);
  });
});
