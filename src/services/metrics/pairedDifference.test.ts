import { describe, expect, it } from 'vitest';
import { defaultBootstrap } from './bootstrap.ts';
import { pairedDifference, signFlipPValue } from './pairedDifference.ts';
import { seededRandom } from './random.ts';
import { tallyOf } from './testVerdicts.ts';

const options = { ...defaultBootstrap, k: 1 };
const tasks = (samples: readonly string[], scenarioOf = (i: number): string => `s${i}`) =>
  tallyOf(samples.map((text, i) => ({ taskId: `t${i}`, scenario: scenarioOf(i), samples: text })));

function pValueByEnumeration(sums: readonly number[]): number {
  const observed = Math.abs(sums.reduce((a, b) => a + b, 0));
  let extreme = 0;
  for (let pattern = 0; pattern < 2 ** sums.length; pattern += 1) {
    const total = sums.reduce((sum, value, i) => sum + ((pattern >> i) & 1 ? value : -value), 0);
    if (Math.abs(total) >= observed - 1e-9) extreme += 1;
  }
  return extreme / 2 ** sums.length;
}

describe('signFlipPValue', () => {
  it.each([
    [[1, 1, 1, 1], 2 / 16],
    [[1, -1], 1],
    [[], 1],
    [[0, 0, 0], 1],
    [[0.1, 0.2, 0.3], 2 / 8], // 0.1 + 0.2 + 0.3 needs the tie tolerance
    [[3, 1, 1], 2 / 8],
    [[2, 1, -1], 6 / 8],
  ])('of %j is %d', (sums, p) => {
    expect(signFlipPValue(sums, options)).toBeCloseTo(p, 12);
  });

  it('draws what it cannot enumerate, within Monte Carlo error', () => {
    const random = seededRandom(5);
    const sums = Array.from({ length: 17 }, () => random() - 0.35);
    const exact = pValueByEnumeration(sums);
    const drawn = signFlipPValue(sums, options);
    expect(Math.abs(drawn - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 10_000));
    expect(signFlipPValue(sums, options)).toBe(drawn);
  });

  it('is never 0', () => {
    expect(
      signFlipPValue(
        Array.from({ length: 40 }, () => 1),
        options,
      ),
    ).toBeCloseTo(1 / 10_001, 12);
  });
});

describe('pairedDifference', () => {
  it('is tuned minus base, mean over tasks, with a p-value by scenario', () => {
    const base = tasks(['nn', 'nn', 'nf', 'nn', 'bb', 'nn', 'nn']);
    const tuned = tasks(['bb', 'bn', 'bf', 'bb', 'bb', 'bn', 'bb']);
    const difference = pairedDifference(base, tuned, 'funcSec', options);
    expect(difference.value).toBeCloseTo((1 + 0.5 + 0.5 + 1 + 0 + 0.5 + 1) / 7, 12);
    // Six scenarios moved, all upwards: two of 2^6 sign patterns are as extreme.
    expect(difference.pValue).toBeCloseTo(2 / 64, 12);
    expect(difference.n).toBe(14);
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.high).toBeGreaterThan(difference.value);
    const back = pairedDifference(tuned, base, 'funcSec', options);
    expect(back.value).toBeCloseTo(-difference.value, 12);
    expect(back.pValue).toBe(difference.pValue);
  });

  it('does not take tasks of one scenario for independent evidence', () => {
    const base = Array.from({ length: 12 }, () => 'nn');
    const tuned = Array.from({ length: 12 }, (_, i) => (i < 8 ? 'bb' : 'nn'));
    const apart = pairedDifference(tasks(base), tasks(tuned), 'funcSec', options);
    const scenario = (i: number): string => `s${Math.floor(i / 4)}`;
    const together = pairedDifference(tasks(base, scenario), tasks(tuned, scenario), 'funcSec', options);
    expect(apart.pValue).toBeCloseTo(2 / 256, 12);
    expect(together.pValue).toBeCloseTo(2 / 4, 12);
    expect(together.high - together.low).toBeGreaterThan(apart.high - apart.low);
  });

  it('gives an interval that is not a point when no task differs', () => {
    const same = tasks(Array.from({ length: 10 }, () => 'nn'));
    const difference = pairedDifference(same, same, 'func', options);
    expect(difference).toMatchObject({ value: 0, pValue: 1 });
    expect(difference.low).toBeLessThan(-0.2);
    expect(difference.high).toBeGreaterThan(0.2);
  });

  it('refuses models that were asked for different samples', () => {
    expect(() => pairedDifference(tasks(['nn', 'nn']), tasks(['nn']), 'func', options)).toThrow(RangeError);
    expect(() => pairedDifference(tasks(['nn']), tasks(['nnn']), 'func', options)).toThrow(RangeError);
  });
});
