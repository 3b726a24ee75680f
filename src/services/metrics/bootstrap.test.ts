import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapInterval, defaultBootstrap, proportionInterval, type Cluster } from './bootstrap.ts';
import { clopperPearson } from './clopperPearson.ts';
import { seededRandom } from './random.ts';

const ones = (successes: number, of: number): Cluster[] =>
  Array.from({ length: of }, (_, i) => ({ numerator: i < successes ? 1 : 0, denominator: 1 }));

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

describe('proportionInterval', () => {
  // Of clusters that are 0 or 1 the bootstrap draws a binomial: its quantiles are known.
  it.each([
    [10, 20, 0.3, 0.7],
    [2, 20, 0, 0.25],
    [50, 100, 0.4, 0.6],
  ])('of %i of %i clusters is the binomial one', (successes, of, low, high) => {
    const interval = proportionInterval(ones(successes, of), defaultBootstrap);
    expect(interval).toEqual({ low, high, method: 'bootstrap' });
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
    const { low, high } = bootstrapInterval(clusters, defaultBootstrap);
    expect(low).toBe(0);
    expect(high).toBe(1);
  });
});
