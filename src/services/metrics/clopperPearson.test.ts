import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile } from './beta.ts';
import { clopperPearson } from './clopperPearson.ts';

describe('clopperPearson', () => {
  // Newcombe 1998, Statistics in Medicine 17, 857–872, table I, method 5.
  it.each([
    [81, 263, 0.2527, 0.3676],
    [15, 148, 0.0578, 0.1617],
    [0, 20, 0, 0.1684],
    [1, 29, 0.0009, 0.1776],
  ])('gives the published interval of %i of %i', (successes, n, low, high) => {
    const interval = clopperPearson(successes, n, 0.95);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('has the closed form where nothing or everything succeeds', () => {
    for (const n of [1, 2, 7, 14, 100, 4000]) {
      expect(clopperPearson(0, n, 0.95).high).toBeCloseTo(1 - 0.025 ** (1 / n), 12);
      expect(clopperPearson(n, n, 0.95).low).toBeCloseTo(0.025 ** (1 / n), 12);
    }
  });

  it('puts α/2 of the binomial in each tail', () => {
    const tail = (successes: number, n: number, p: number): number => {
      let sum = 0;
      let choose = 1;
      for (let i = 0; i <= successes; i += 1) {
        sum += choose * p ** i * (1 - p) ** (n - i);
        choose = (choose * (n - i)) / (i + 1);
      }
      return sum;
    };
    const cases = fc
      .integer({ min: 2, max: 60 })
      .chain((n) => fc.tuple(fc.integer({ min: 1, max: n - 1 }), fc.constant(n)));
    fc.assert(
      fc.property(cases, ([successes, n]) => {
        const { low, high } = clopperPearson(successes, n, 0.95);
        expect(tail(successes, n, high)).toBeCloseTo(0.025, 9);
        expect(1 - tail(successes - 1, n, low)).toBeCloseTo(0.025, 9);
      }),
    );
  });

  it('refuses what is no proportion', () => {
    expect(() => clopperPearson(3, 2, 0.95)).toThrow(RangeError);
    expect(() => clopperPearson(0, 0, 0.95)).toThrow(RangeError);
  });
});

describe('the beta distribution', () => {
  it('has its closed forms', () => {
    expect(betaCdf(0.3, 1, 1)).toBeCloseTo(0.3, 14);
    expect(betaCdf(0.3, 2, 1)).toBeCloseTo(0.09, 14);
    expect(betaCdf(0.3, 1, 3)).toBeCloseTo(1 - 0.7 ** 3, 14);
    // Arcsine distribution.
    expect(betaCdf(0.2, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(0.2)), 13);
  });

  it('is inverted by its quantile', () => {
    const shape = fc.double({ min: 0.5, max: 500, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), shape, shape, (probability, a, b) => {
        expect(betaCdf(betaQuantile(probability, a, b), a, b)).toBeCloseTo(probability, 8);
      }),
    );
  });
});
