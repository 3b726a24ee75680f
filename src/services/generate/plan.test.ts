import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBatches, planSamples } from './plan.ts';

describe('planSamples', () => {
  it('gives every (task, sample) one index, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        (taskIds, n) => {
          const planned = planSamples(taskIds, n, 1);
          expect(planned.map(({ index }) => index)).toEqual(planned.map((_, index) => index));
          expect(new Set(planned.map(({ taskId, sample }) => `${taskId}\n${sample}`)).size).toBe(
            taskIds.length * n,
          );
        },
      ),
    );
  });

  it('seeds by task and sample, so that another task does not shift it', () => {
    const seedOf = (ids: string[]): number | undefined =>
      planSamples(ids, 2, 5).find(({ taskId, sample }) => taskId === 'b' && sample === 1)?.seed;
    expect(seedOf(['a', 'b'])).toBe(seedOf(['b']));
    expect(planSamples(['b'], 1, 5)[0]?.seed).not.toBe(planSamples(['b'], 1, 6)[0]?.seed);
  });
});

it('cutBatches keeps order and loses nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 7 }), (items, size) => {
      expect(cutBatches(items, size).flat()).toEqual(items);
    }),
  );
});
