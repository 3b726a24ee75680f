import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promptVariants } from '../../contract/benchmarkNames.ts';
import { cutBatches, planSamples } from './plan.ts';

describe('planSamples', () => {
  it('gives every (variant, task, sample) one index, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }),
        fc.subarray([...promptVariants], { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        (taskIds, variants, samplesPerTask) => {
          const planned = planSamples({ taskIds, variants, samplesPerTask, seed: 1 });
          expect(planned.map(({ index }) => index)).toEqual(planned.map((_, index) => index));
          const names = planned.map(({ variant, taskId, sample }) => `${variant}\n${taskId}\n${sample}`);
          expect(new Set(names).size).toBe(taskIds.length * variants.length * samplesPerTask);
        },
      ),
    );
  });

  it('seeds by task and sample, so that another task or variant does not shift it', () => {
    const seedOf = (taskIds: string[], seed = 5, variants = promptVariants.slice(0, 1)): number | undefined =>
      planSamples({ taskIds, variants, samplesPerTask: 2, seed }).findLast(
        ({ taskId, sample }) => taskId === 'b' && sample === 1,
      )?.seed;
    expect(seedOf(['a', 'b'])).toBe(seedOf(['b']));
    expect(seedOf(['b'], 5, ['none', 'generic'])).toBe(seedOf(['b']));
    expect(seedOf(['b'], 6)).not.toBe(seedOf(['b']));
  });
});

it('cutBatches keeps order and loses nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 7 }), (items, size) => {
      expect(cutBatches(items, size).flat()).toEqual(items);
    }),
  );
});
