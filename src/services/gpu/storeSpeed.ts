/** How fast this host reads and writes the store: checkpoints travel at that speed. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '../store/index.ts';

const OBJECTS = 8;
const OBJECT_BYTES = 4 * 2 ** 20;
const LANES = 4;
/** For each direction; a slow link is measured by what it managed. */
const LIMIT_MS = 3000;

export interface StoreSpeed {
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
}

/**
 * 32 MiB up and down again under `probe/`, four objects at a time, and deleted. Takes a few seconds at most, whatever
 * the link. Rejects when the store fails.
 */
export async function measureStore(store: ObjectStore): Promise<StoreSpeed> {
  const folder = `probe/${randomUUID()}`;
  const bytes = randomBytes(OBJECT_BYTES);
  const keys = Array.from({ length: OBJECTS }, (_, index) => `${folder}/${index}`);
  const begun: Promise<unknown>[] = [];
  const follow = <T>(work: Promise<T>): Promise<T> => {
    begun.push(work);
    return work;
  };
  try {
    const uploaded: string[] = [];
    const uploadBytesPerSecond = await measure(keys, async (key, index) => {
      // No two the same: a store could keep only one of them.
      const own = Buffer.from(bytes);
      own.writeUInt32LE(index);
      await follow(store.putIfAbsent(key, own));
      uploaded.push(key);
    });
    const downloadBytesPerSecond = await measure(uploaded, async (key) => {
      await follow(store.get(key));
    });
    return { uploadBytesPerSecond, downloadBytesPerSecond };
  } finally {
    const clean = Promise.allSettled(begun).then(
      async () => await Promise.allSettled(keys.map(async (key) => await store.delete(key))),
    );
    await Promise.race([clean, delay(LIMIT_MS, undefined, { ref: false })]);
  }
}

/** Bytes per second over what was done within the limit. */
async function measure(
  keys: readonly string[],
  work: (key: string, index: number) => Promise<void>,
): Promise<number> {
  const startMs = performance.now();
  const isOver = (): boolean => performance.now() - startMs > LIMIT_MS;
  const pending = keys.entries();
  let doneBytes = 0;
  const lane = async (): Promise<void> => {
    for (const [index, key] of pending) {
      if (isOver()) return;
      await work(key, index);
      if (!isOver()) doneBytes += OBJECT_BYTES;
    }
  };
  const lanes = Promise.all(Array.from({ length: LANES }, lane));
  await Promise.race([lanes, delay(LIMIT_MS, undefined, { ref: false })]);
  // What fails later than the limit is of no interest any more.
  lanes.catch(() => undefined);
  return doneBytes / ((performance.now() - startMs) / 1000);
}
