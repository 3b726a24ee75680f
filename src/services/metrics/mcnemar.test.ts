import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mcnemar, mcnemarPValue } from './mcnemar.ts';
import { tallyOf } from './testVerdicts.ts';

const answers = (letters: string) =>
  tallyOf([...letters].map((samples, i) => ({ taskId: `t${i}`, samples })));

describe('mcnemar', () => {
  it('counts on functional and secure; unknown and missing are failures', () => {
    expect(mcnemar(answers('bbbfsnu-b'), answers('bnfbbbbbu'))).toMatchObject({
      both: 1,
      onlyBase: 3,
      onlyTuned: 5,
      neither: 0,
    });
  });

  it('needs one sample of each task, and the same tasks', () => {
    const two = tallyOf([{ taskId: 't0', samples: 'bb' }]);
    expect(() => mcnemar(two, two)).toThrow(RangeError);
    expect(() => mcnemar(answers('bb'), answers('b'))).toThrow(RangeError);
  });
});

describe('mcnemarPValue', () => {
  it.each([
    [0, 0, 1],
    [3, 3, 1],
    [0, 5, 2 / 32],
    [0, 6, 2 / 64],
    [1, 5, (2 * (1 + 6)) / 64],
    [2, 8, (2 * (1 + 10 + 45)) / 1024],
    [4, 5, 1],
  ])('of %i against %i is %d', (onlyBase, onlyTuned, p) => {
    expect(mcnemarPValue(onlyBase, onlyTuned)).toBeCloseTo(p, 12);
    expect(mcnemarPValue(onlyTuned, onlyBase)).toBeCloseTo(p, 12);
  });

  it('is the exact binomial sum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 400 }), (b, c) => {
        let term = 0.5 ** (b + c);
        let sum = 0;
        for (let i = 0; i <= Math.min(b, c); i += 1) {
          sum += term;
          term *= (b + c - i) / (i + 1);
        }
        expect(mcnemarPValue(b, c)).toBeCloseTo(Math.min(1, 2 * sum), 10);
      }),
    );
  });
});
