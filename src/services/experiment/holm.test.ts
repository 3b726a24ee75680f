import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../metrics/random.ts';
import { holm } from './holm.ts';

it.each([
  // p.adjust(c(0.01, 0.02, 0.03, 0.04), method = "holm") of R.
  [[0.01, 0.02, 0.03, 0.04], 4, [0.04, 0.06, 0.06, 0.06]],
  [[0.04, 0.01], 2, [0.04, 0.02]],
  // p.adjust(c(0.005, 0.011, 0.02, 0.04, 0.13), method = "holm")
  [[0.13, 0.005, 0.02, 0.011, 0.04], 5, [0.13, 0.025, 0.06, 0.044, 0.08]],
  [[0.6, 0.7], 2, [1, 1]],
  // One of three planned hypotheses has no p-value: as p.adjust(c(0.01, 0.03, 1)).
  [[0.01, 0.03], 3, [0.03, 0.06]],
  [[], 3, []],
])('%j of %i: %j', (given, family, expected) => {
  const adjusted = holm(given, family);
  expect(adjusted).toHaveLength(expected.length);
  for (const [index, value] of adjusted.entries()) expect(value).toBeCloseTo(expected[index] ?? -1, 12);
});

it('never lowers a p-value, keeps their order, and stays below Bonferroni', () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  fc.assert(
    fc.property(shares, fc.nat(5), (pValues, more) => {
      const family = pValues.length + more;
      const adjusted = holm(pValues, family);
      for (const [i, p] of pValues.entries()) {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, family * p));
        const larger = adjusted.filter((_, j) => p <= (pValues[j] ?? 0));
        expect(Math.min(...larger)).toBeGreaterThanOrEqual(adjusted[i] ?? 1);
      }
    }),
  );
});

it('rejects something true in at most 5 % of studies of equal variants, with a shared reference', () => {
  const random = seededRandom(4);
  const STUDIES = 20_000;
  let wrong = 0;
  for (let study = 0; study < STUDIES; study += 1) {
    const pValues = Array.from({ length: 7 }, () => random());
    if (Math.min(...holm(pValues, 7)) < 0.05) wrong += 1;
  }
  // Two standard errors of a share of 5 % are 0.3 points.
  expect(wrong / STUDIES).toBeLessThan(0.053);
});

it('refuses more p-values than hypotheses', () => {
  expect(() => holm([0.1, 0.2], 1)).toThrow(RangeError);
});
