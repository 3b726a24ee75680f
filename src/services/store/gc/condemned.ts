/**
 * The blobs that a garbage collection is about to delete, told to writers in one object. The collector tells first and
 * looks afterwards; a writer writes first and reads this afterwards: so one of the two sees the other, and neither
 * needs a clock for it. See DESIGN.md beside the store.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { SecpiError } from '../../../contract/errors.ts';
import { sha256Schema } from '../../../contract/refs.ts';
import { parseStored, storedForm } from '../heads.ts';
import { condemnedKey } from '../keys.ts';
import type { ObjectStore } from '../objectStore.ts';

const condemnedSchema = z.strictObject({
  version: z.literal(1),
  collector: z.string(),
  /** Counts the writes of a collector: no two are equal. */
  turn: z.int().nonnegative(),
  state: z.enum(['sweeping', 'idle']),
  blobs: z.array(sha256Schema),
});
export type Condemned = z.infer<typeof condemnedSchema>;

type FlagObjects = Pick<ObjectStore, 'get' | 'look' | 'uriOf'>;

/** A collector writes its flag at least this often, or stops; an older flag is of a dead one. By the store's clock. */
export const LEASE_MS = 10 * 60_000;
const POLL_MS = 500;
/** A batch takes seconds; a collector that holds the same one for so long is stuck. */
const MAX_WAIT_MS = 2 * LEASE_MS;

/**
 * Comes back when no living collection is about to delete one of these blobs. What was there before the call may be
 * gone now, and what is there now stays: look afterwards. Throws STORE_UNAVAILABLE after 20 minutes.
 */
export async function outlast(
  store: FlagObjects,
  blobs: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const own = new Set(blobs);
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  while (performance.now() < deadlineMs) {
    const flag = await readFlag(store);
    if (flag === null || flag.condemned.state === 'idle' || !flag.condemned.blobs.some((it) => own.has(it)))
      return;
    const ageMs = (await store.look(condemnedKey))?.ageMs ?? 0;
    if (ageMs > LEASE_MS) return;
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
  throw new SecpiError('STORE_UNAVAILABLE', 'A garbage collection did not get on for 20 minutes.');
}

/** Null while no collection was ever made. */
export async function readFlag(
  store: FlagObjects,
): Promise<{ readonly condemned: Condemned; readonly etag: string } | null> {
  const found = await store.get(condemnedKey);
  if (found === null) return null;
  return {
    condemned: parseStored(condemnedSchema, found.bytes, store.uriOf(condemnedKey)),
    etag: found.etag,
  };
}

export const flagForm = (condemned: Condemned): Buffer => storedForm(condemned);
