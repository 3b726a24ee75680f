import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { mapLimit } from './parallel.ts';

it('keeps the order of the items and the limit', async () => {
  let inFlight = 0;
  let most = 0;
  const results = await mapLimit([5, 1, 4, 2, 3], 2, async (item, index) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await sleep(item);
    inFlight -= 1;
    return item * 10 + index;
  });
  expect(results).toEqual([50, 11, 42, 23, 34]);
  expect(most).toBe(2);
  expect(await mapLimit([], 2, () => Promise.resolve(1))).toEqual([]);
});

it('throws the first failure after what was in flight has settled, and starts nothing more', async () => {
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    await sleep(item === 1 ? 1 : 15);
    if (item === 1) throw new Error('first');
    ended.push(item);
  };
  await expect(mapLimit([0, 1, 2, 3], 2, work)).rejects.toThrow('first');
  expect(ended).toEqual([0]);
});
