import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hypergeometric, sumOf, tails } from './hypergeometric.ts';
import { shiftTest, type Stratum } from './shiftTest.ts';

const stratum = (b: number, n: number, l: number, m: number): Stratum => ({
  baseline: { successes: b, samples: n },
  look: { successes: l, samples: m },
});

/** Every way to deal each task's answers to baseline and look, counted with whole numbers: what the test should say. */
function byEnumeration(strata: readonly Stratum[]): { lower: number; higher: number } {
  let ways = new Map<number, bigint>([[0, 1n]]);
  for (const { baseline, look } of strata) {
    const successes = baseline.successes + look.successes;
    const failures = baseline.samples + look.samples - successes;
    const next = new Map<number, bigint>();
    for (let k = 0; k <= Math.min(successes, look.samples); k += 1) {
      const count = choose(successes, k) * choose(failures, look.samples - k);
      for (const [sum, before] of ways) next.set(sum + k, (next.get(sum + k) ?? 0n) + before * count);
    }
    ways = next;
  }
  const seen = strata.reduce((sum, { look }) => sum + look.successes, 0);
  const all = [...ways.values()].reduce((sum, each) => sum + each, 0n);
  const share = (holds: (sum: number) => boolean): number => {
    const some = [...ways].reduce((sum, [of, count]) => (holds(of) ? sum + count : sum), 0n);
    return Number((some * 10n ** 40n) / all) / 1e40;
  };
  return { lower: share((sum) => sum <= seen), higher: share((sum) => sum >= seen) };
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let ways = 1n;
  for (let i = 1; i <= k; i += 1) ways = (ways * BigInt(n - k + i)) / BigInt(i);
  return ways;
}

describe('shiftTest', () => {
  it.each([
    // 2 of 4 successes, 2 drawn: 1/6, 4/6, 1/6.
    { strata: [stratum(2, 2, 0, 2)], lower: 1 / 6, higher: 1 },
    { strata: [stratum(1, 2, 1, 2)], lower: 5 / 6, higher: 5 / 6 },
    // Two such tasks: 1/36 for none at all, (1 + 8)/36 for at most one.
    { strata: [stratum(2, 2, 0, 2), stratum(2, 2, 0, 2)], lower: 1 / 36, higher: 1 },
    { strata: [stratum(2, 2, 0, 2), stratum(1, 2, 1, 2)], lower: 9 / 36, higher: 35 / 36 },
    // Fisher's tea: 4 of 4 against 0 of 4, 1/C(8, 4).
    { strata: [stratum(4, 4, 0, 4)], lower: 1 / 70, higher: 1 },
    // 1 of 10 against 9 of 10: known from Fisher's exact test, one-sided: (1 + 100 + … )/C(20, 10) = 101/184756.
    { strata: [stratum(9, 10, 1, 10)], lower: 101 / 184_756, higher: (184_756 - 1) / 184_756 },
    // Tasks that always or never succeed say nothing.
    { strata: [stratum(10, 10, 5, 5), stratum(0, 10, 0, 5)], lower: 1, higher: 1 },
  ])('gives what is counted by hand (%#)', ({ strata, lower, higher }) => {
    const { lower: low, higher: high } = shiftTest(strata);
    expect(low).toBeCloseTo(lower, 12);
    expect(high).toBeCloseTo(higher, 12);
  });

  it('agrees with the enumeration of all ways, whatever the counts', () => {
    const count = fc
      .record({ samples: fc.integer({ min: 1, max: 12 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
      .map(({ samples, part }) => ({ samples, successes: Math.round(part * samples) }));
    const strata = fc.array(fc.record({ baseline: count, look: count }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(strata, (given) => {
        const exact = byEnumeration(given);
        const found = shiftTest(given);
        expect(found.lower).toBeCloseTo(exact.lower, 12);
        expect(found.higher).toBeCloseTo(exact.higher, 12);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the digits of chances far out in the tail', () => {
    const strata = Array.from({ length: 6 }, () => stratum(9, 10, 1, 10));
    const exact = byEnumeration(strata).lower;
    const { lower } = shiftTest(strata);
    expect(exact).toBeLessThan(1e-15);
    expect(Math.abs(lower / exact - 1)).toBeLessThan(1e-10);
  });

  it('says 0, and nothing worse, of what is rarer than numbers can hold', () => {
    const strata = Array.from({ length: 60 }, () => stratum(100, 100, 0, 100));
    const { lower, higher } = shiftTest(strata);
    expect(lower).toBe(0);
    expect(higher).toBe(1);
  });

  it('is quick for the largest benchmark and a week of nights', () => {
    const strata = Array.from({ length: 392 }, (_, task) => stratum(task % 31, 30, (task * 7) % 71, 70));
    const began = process.cpuUsage();
    const { lower, higher } = shiftTest(strata);
    expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);
    expect(lower + higher).toBeGreaterThan(1);
  });
});

describe('hypergeometric', () => {
  it('refuses what cannot be drawn', () => {
    expect(() => hypergeometric(10, 11, 3)).toThrow(RangeError);
    expect(() => hypergeometric(10, 3, 11)).toThrow(RangeError);
    expect(() => hypergeometric(10, Number.NaN, 3)).toThrow(RangeError);
  });

  it('adds up to one, for large numbers too', () => {
    const { low, p } = hypergeometric(60_000, 25_000, 30_000);
    expect(low).toBe(0);
    expect(p.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 10);
    const mean = p.reduce((sum, each, index) => sum + each * (low + index), 0);
    expect(mean).toBeCloseTo(12_500, 6);
  });

  it('has a support that begins where the failures end', () => {
    expect(tails(sumOf([hypergeometric(5, 4, 3)]), 2)).toEqual({
      atMost: expect.closeTo(0.6, 12),
      atLeast: expect.closeTo(1, 12),
    });
  });
});
