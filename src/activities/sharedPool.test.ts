import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSharedPool } from './sharedPool.ts';

const LINGER_MS = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pool of numbered things that writes down what happens to them. */
function startPool({ closeThing }: { closeThing?: () => Promise<void> } = {}) {
  const events: string[] = [];
  const errors: unknown[] = [];
  let opened = 0;
  const pool = createSharedPool<number>(
    async (thing) => {
      events.push(`closing ${thing}`);
      await closeThing?.();
      events.push(`closed ${thing}`);
    },
    { lingerMs: LINGER_MS, onCloseError: (error) => errors.push(error) },
  );
  const open = async (): Promise<number> => {
    opened += 1;
    events.push(`open ${opened}`);
    return opened;
  };
  return { pool, events, errors, open };
}

const itself = async (thing: number): Promise<number> => thing;

it('opens once for all who ask at the same time, and one for each key', async () => {
  const { pool, events, open } = startPool();
  expect(await Promise.all(['a', 'a', 'b'].map(async (key) => await pool.use(key, open, itself)))).toEqual([
    1, 1, 2,
  ]);
  expect(events).toEqual(['open 1', 'open 2']);
});

it('lingers between two uses, and closes what has been idle', async () => {
  const { pool, events, open } = startPool();
  await pool.use('a', open, itself);
  await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
  expect(await pool.use('a', open, itself)).toBe(1);
  await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
  expect(events).toEqual(['open 1']);
  await vi.advanceTimersByTimeAsync(1);
  expect(events).toEqual(['open 1', 'closing 1', 'closed 1']);
  expect(await pool.use('a', open, itself)).toBe(2);
});

it('does not close under a user, however long the work takes', async () => {
  const { pool, events, open } = startPool();
  const work = Promise.withResolvers<void>();
  const long = pool.use('a', open, async () => await work.promise);
  await pool.use('a', open, itself);
  await vi.advanceTimersByTimeAsync(10 * LINGER_MS);
  expect(events).toEqual(['open 1']);
  work.resolve();
  await long;
  await vi.advanceTimersByTimeAsync(LINGER_MS);
  expect(events).toEqual(['open 1', 'closing 1', 'closed 1']);
});

it('failed work leaves the thing open to others', async () => {
  const { pool, open } = startPool();
  const failing = pool.use('a', open, async () => await Promise.reject(new Error('of the work')));
  await expect(failing).rejects.toThrow('of the work');
  expect(await pool.use('a', open, itself)).toBe(1);
});

it('a failed opening is told to all who waited for it, and the next use opens anew', async () => {
  const { pool, events, errors, open } = startPool();
  const broken = async (): Promise<number> => {
    await sleep(0);
    throw new Error('cannot open');
  };
  const results = await Promise.allSettled([
    pool.use('a', broken, itself),
    pool.use('a', broken, itself).catch(async () => await pool.use('a', open, itself)),
    pool.use('a', broken, itself),
  ]);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'rejected']);
  // Those who failed later took away nothing of the one that opened anew.
  expect(await pool.use('a', open, itself)).toBe(1);
  await vi.advanceTimersByTimeAsync(LINGER_MS);
  expect([events, errors]).toEqual([['open 1', 'closing 1', 'closed 1'], []]);
});

it('a use while it is closed waits until that is done', async () => {
  const gate = Promise.withResolvers<void>();
  const { pool, events, open } = startPool({ closeThing: async () => await gate.promise });
  await pool.use('a', open, itself);
  await vi.advanceTimersByTimeAsync(LINGER_MS);
  const uses = [pool.use('a', open, itself), pool.use('a', open, itself)];
  await vi.advanceTimersByTimeAsync(LINGER_MS);
  expect(events).toEqual(['open 1', 'closing 1']);
  gate.resolve();
  expect(await Promise.all(uses)).toEqual([2, 2]);
  expect(events).toEqual(['open 1', 'closing 1', 'closed 1', 'open 2']);
});

it('close() closes all at once, waits for what is closing, and tells what could not close', async () => {
  const { pool, events, errors, open } = startPool({
    closeThing: async () => await Promise.reject(new Error('cannot close')),
  });
  await Promise.all(['a', 'b', 'c'].map(async (key) => await pool.use(key, open, itself)));
  await pool.close();
  expect(events.slice(3)).toEqual(['closing 1', 'closing 2', 'closing 3']);
  expect(errors).toHaveLength(3);
  expect(vi.getTimerCount()).toBe(0);
});

it('a use that has begun when all is closed keeps its thing, and a later one waits for the close', async () => {
  const { pool, events, open } = startPool();
  await pool.use('a', open, itself);
  const begun = pool.use('a', open, itself);
  await pool.close();
  expect([await begun, events]).toEqual([1, ['open 1']]);
  const closing = pool.close();
  expect(await pool.use('a', open, itself)).toBe(2);
  await closing;
  expect(events).toEqual(['open 1', 'closing 1', 'closed 1', 'open 2']);
});
