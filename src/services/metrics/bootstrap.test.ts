import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootstrapIntervals,
  defaultBootstrap,
  expandedTail,
  proportionIntervals,
  type BootstrapOptions,
  type Cluster,
  type ClusterInterval,
} from './bootstrap.ts';
import { clopperPearson } from './clopperPearson.ts';
import { normalCdf } from './normal.ts';
import { seededRandom } from './random.ts';

const ones = (successes: number, of: number): Cluster[] =>
  Array.from({ length: of }, (_, i) => ({ numerator: i < successes ? 1 : 0, denominator: 1 }));

const proportionInterval = (clusters: readonly Cluster[], options: BootstrapOptions): ClusterInterval => {
  const [interval] = proportionIntervals([clusters], options);
  if (interval === undefined) throw new Error('no interval');
  return interval;
};

describe('seededRandom', () => {
  it('repeats itself for a seed and parts for neighbouring seeds', () => {
    const take = (seed: number): number[] => Array.from({ length: 20 }, seededRandom(seed));
    expect(take(7)).toEqual(take(7));
    expect(take(7).filter((value, i) => value === take(8)[i])).toEqual([]);
  });

  it('is even: mean, variance and the chi-square of 100 bins are those of the uniform distribution', () => {
    const random = seededRandom(3);
    const bins = Array.from({ length: 100 }, () => 0);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < 100_000; i += 1) {
      const value = random();
      sum += value;
      squares += value * value;
      const bin = Math.floor(value * 100);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const mean = sum / 100_000;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(squares / 100_000 - mean * mean).toBeCloseTo(1 / 12, 2);
    // 99 degrees of freedom: 0.001 and 0.999 quantiles.
    const chiSquare = bins.reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeGreaterThan(60);
    expect(chiSquare).toBeLessThan(149);
  });
});

/** The smallest count that a binomial variable exceeds with at most the rest of the probability. */
function binomialQuantile(n: number, p: number, probability: number): number {
  let term = (1 - p) ** n;
  let sum = term;
  let count = 0;
  while (sum < probability) {
    term *= ((n - count) / (count + 1)) * (p / (1 - p));
    sum += term;
    count += 1;
  }
  return count;
}

describe('expandedTail', () => {
  // Φ(−√(n/(n−1))·t) with t of Abramowitz and Stegun, table 26.10, and Φ of table 26.1.
  it.each([
    [5, 0.00095],
    [10, 0.00856],
    [30, 0.01876],
    [1000, 0.02478],
  ])('of %i clusters is %d', (clusters, tail) => {
    expect(expandedTail(0.95, clusters)).toBeCloseTo(tail, 4);
  });

  it('comes to the plain tail with many clusters, and stays it where a spread cannot be told', () => {
    expect(expandedTail(0.9, 1e6)).toBeCloseTo(0.05, 6);
    expect(expandedTail(0.95, 1)).toBeCloseTo(0.025, 12);
  });
});

describe('normalCdf', () => {
  it.each([
    [0, 0.5],
    [-1.959963984540054, 0.025],
    [1, 0.8413447460685429],
    [-3, 0.0013498980316300933],
    [6, 1 - 9.865876450376946e-10],
    [-9, 0],
    [9, 1],
  ])('of %d is %d', (z, probability) => {
    expect(normalCdf(z)).toBeCloseTo(probability, 14);
  });
});

describe('proportionInterval', () => {
  // Of clusters that are 0 or 1 the bootstrap draws a binomial: its quantiles are known.
  it.each([
    [10, 20],
    [2, 20],
    [50, 100],
  ])('of %i of %i clusters is the binomial one', (successes, of) => {
    const interval = proportionInterval(ones(successes, of), defaultBootstrap);
    const tail = expandedTail(0.95, of);
    expect(interval).toEqual({
      low: binomialQuantile(of, successes / of, tail) / of,
      high: binomialQuantile(of, successes / of, 1 - tail) / of,
      method: 'bootstrap',
    });
  });

  it('is the same each time, and another one with another seed', () => {
    const clusters = Array.from({ length: 12 }, (_, i) => ({ numerator: (i * 0.37) % 1, denominator: 1 }));
    expect(proportionInterval(clusters, defaultBootstrap)).toEqual(
      proportionInterval(clusters, defaultBootstrap),
    );
    expect(proportionInterval(clusters, { ...defaultBootstrap, seed: 2 })).not.toEqual(
      proportionInterval(clusters, defaultBootstrap),
    );
  });

  it.each([0, 14])('is exact on the clusters when %i of 14 succeed', (successes) => {
    expect(proportionInterval(ones(successes, 14), defaultBootstrap)).toEqual({
      ...clopperPearson(successes, 14, 0.95),
      method: 'exact',
    });
  });

  it('is exact for one cluster, whatever its share, and for equal shares', () => {
    const one = proportionInterval([{ numerator: 4, denominator: 8 }], defaultBootstrap);
    expect(one.method).toBe('exact');
    expect(one.low).toBeLessThan(0.01);
    expect(one.high).toBeGreaterThan(0.99);
    const equal = Array.from({ length: 9 }, () => ({ numerator: 1, denominator: 3 }));
    expect(proportionInterval(equal, defaultBootstrap)).toEqual({
      ...clopperPearson(3, 9, 0.95),
      method: 'exact',
    });
  });

  it('is wider when samples of a scenario stand or fall together than when they are independent', () => {
    const together = ones(10, 20).map(({ numerator }) => ({ numerator: numerator * 4, denominator: 4 }));
    const apart = ones(40, 80);
    const width = (clusters: Cluster[]): number => {
      const { low, high } = proportionInterval(clusters, defaultBootstrap);
      return high - low;
    };
    expect(width(together) / width(apart)).toBeCloseTo(2, 0);
  });

  it('holds the value and stays within 0 and 1', () => {
    const cluster = fc
      .integer({ min: 1, max: 12 })
      .chain((denominator) =>
        fc.integer({ min: 0, max: denominator }).map((numerator) => ({ numerator, denominator })),
      );
    fc.assert(
      fc.property(fc.array(cluster, { minLength: 1, maxLength: 40 }), (clusters) => {
        const value =
          clusters.reduce((sum, { numerator }) => sum + numerator, 0) /
          clusters.reduce((sum, { denominator }) => sum + denominator, 0);
        const { low, high } = proportionInterval(clusters, { ...defaultBootstrap, resamples: 1000 });
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(value + 1e-9);
        expect(high).toBeGreaterThanOrEqual(value - 1e-9);
      }),
    );
  });

  it('draws again where a resample has no denominator', () => {
    const clusters = [...ones(3, 5), ...Array.from({ length: 20 }, () => ({ numerator: 0, denominator: 0 }))];
    expect(bootstrapIntervals([clusters], defaultBootstrap)).toEqual([{ low: 0, high: 1 }]);
  });

  it.each([6, 11, 28])('covers the truth nearly as often as it says, with %i scenarios', (scenarios) => {
    const random = seededRandom(scenarios);
    let held = 0;
    for (let study = 0; study < 400; study += 1) {
      const clusters = Array.from({ length: scenarios }, () => {
        // Scenarios differ: some are always solved, some never.
        const chance = random() * 1.4 - 0.2;
        const solved = Array.from({ length: 10 }, () => Number(random() < chance));
        return { numerator: solved.reduce((sum, one) => sum + one, 0), denominator: solved.length };
      });
      const { low, high } = proportionInterval(clusters, {
        ...defaultBootstrap,
        resamples: 500,
        seed: study,
      });
      if (low <= 0.5 && high >= 0.5) held += 1;
    }
    // Monte Carlo error of 400 studies: 0.013.
    expect(held / 400).toBeGreaterThan(0.9);
    expect(held / 400).toBeLessThan(0.98);
  });

  it('gives each of several ratios the interval that it would get alone', () => {
    const random = seededRandom(11);
    const shares = Array.from({ length: 20 }, () => ({ numerator: random(), denominator: 1 }));
    // Half of the clusters say nothing about it, so many draws must be repeated.
    const sparse = shares.map(({ numerator }, i) => ({
      numerator: i < 2 ? numerator : 0,
      denominator: i < 2 ? 1 : 0,
    }));
    const constant = shares.map(() => ({ numerator: 1, denominator: 1 }));
    const together = proportionIntervals([shares, constant, sparse], defaultBootstrap);
    const alone = [shares, constant, sparse].map((ratio) => proportionInterval(ratio, defaultBootstrap));
    expect(together).toEqual(alone);
    expect(together.map(({ method }) => method)).toEqual(['bootstrap', 'exact', 'exact']);
    expect(bootstrapIntervals([shares, sparse], defaultBootstrap)).toEqual([
      ...bootstrapIntervals([shares], defaultBootstrap),
      ...bootstrapIntervals([sparse], defaultBootstrap),
    ]);
  });

  it('refuses ratios of different clusters, and one that has no denominator', () => {
    expect(() => bootstrapIntervals([ones(2, 5), ones(2, 6)], defaultBootstrap)).toThrow(RangeError);
    const nothing = Array.from({ length: 6 }, () => ({ numerator: 0, denominator: 0 }));
    expect(() => bootstrapIntervals([nothing], defaultBootstrap)).toThrow(RangeError);
    expect(() => proportionIntervals([nothing], defaultBootstrap)).toThrow(RangeError);
  });
});
