/**
 * Garbage collection: mark from everything that names blobs, then sweep what lay unnamed for the whole of the grace.
 * Why no needed blob can go, also while runs publish: DESIGN.md beside the store.
 */
import { BLOB_REFRESH_AFTER_MS } from '../blobs.ts';
import { allBlobsPrefix, probePrefix } from '../keys.ts';
import type { ListedObject, ObjectStore } from '../objectStore.ts';
import { mapLimit } from '../parallel.ts';
import { LOST_AFTER_MS, stopWatch, SweepLease } from './lease.ts';
import { Marks } from './marks.ts';
import { sha256OfKey } from './places.ts';

/** Below three times of what writers take for young, a blob could go that one of them relies on. */
export const MIN_GRACE_MS = 3 * BLOB_REFRESH_AFTER_MS;
const STALE_UPLOAD_MS = 24 * 3_600_000;
const REQUESTS_AT_ONCE = 16;
/** Blobs told to writers at a time: names of 130 KB, deleted in seconds. */
const BATCH_BLOBS = 2000;

export interface CollectOptions {
  /** Since it was last written, by the store's clock, a blob is kept for so long although nothing names it. */
  readonly graceMs: number;
  /** False: looks only, and writes nothing. */
  readonly sweep: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

export interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

export interface Collection {
  readonly swept: boolean;
  readonly graceMs: number;
  /** Blobs that something names. */
  readonly needed: Amount;
  /** Blobs that nothing names, younger than the grace. */
  readonly young: Amount;
  /** Blobs that were deleted; where nothing was swept, that would be. */
  readonly garbage: Amount;
  /** Small objects that nobody can use any more: shard records and manifests of the past, leftovers of probes. */
  readonly records: Amount;
  /** Uploads in parts begun more than a day ago and aborted. */
  readonly uploadsAborted: number;
  /** Objects under `blobs/` that are no blobs; never touched. */
  readonly foreign: Amount;
  /** Blobs that are named and were not there before anything was deleted, with who names them. */
  readonly missing: readonly Named[];
  /** Blobs deleted here that something names now: a defect or a broken store, to be told loudly. */
  readonly lost: readonly Named[];
  /** Folders kept whole because their head or manifest cannot be read. */
  readonly notes: readonly string[];
}

export interface Named {
  readonly sha256: string;
  /** Key of an object that names it. */
  readonly namedBy: string;
}

type CollectStore = Omit<ObjectStore, 'putFile' | 'openStream' | 'inBucket'>;

/** Throws HEAD_FENCED while another collection is at work; RangeError below MIN_GRACE_MS. */
export async function collectGarbage(store: CollectStore, options: CollectOptions): Promise<Collection> {
  const { graceMs, signal, onProgress = () => undefined } = options;
  if (!(graceMs >= MIN_GRACE_MS)) throw new RangeError(`graceMs must be at least ${MIN_GRACE_MS}`);
  const stopIfAsked = (): Promise<void> => {
    signal?.throwIfAborted();
    return Promise.resolve();
  };
  const horizonMs = (await store.now()) - graceMs;
  const marks = new Marks(store);
  onProgress('Reads what names blobs …');
  await marks.update(stopIfAsked);
  onProgress('Lists the blobs …');
  const listed = await listBlobs(store, marks, horizonMs, stopIfAsked);
  const dead = [...marks.dead(), ...(await leftovers(store))].filter((object) => isOld(object, horizonMs));
  const { candidates, ...found } = listed;
  const base = { ...found, graceMs, notes: marks.notes() };
  if (!options.sweep) {
    const amounts = { garbage: amountOf(candidates), records: amountOf(dead) };
    return { ...base, ...amounts, swept: false, uploadsAborted: 0, lost: [] };
  }
  const deleted = await sweep(store, marks, candidates, options);
  // Nobody can use these any more, so it does not matter when they go.
  await mapLimit(dead, REQUESTS_AT_ONCE, async ({ key }) => {
    await stopIfAsked();
    await store.delete(key);
  });
  const uploadsAborted = await store.abortStaleUploads(allBlobsPrefix, STALE_UPLOAD_MS);
  onProgress('Looks once more at what was named meanwhile …');
  await marks.update(stopIfAsked);
  return {
    ...base,
    swept: true,
    garbage: amountOf(deleted),
    records: amountOf(dead),
    uploadsAborted,
    lost: await lostOf(store, marks, deleted),
    notes: marks.notes(),
  };
}

type Listed = Pick<Collection, 'needed' | 'young' | 'foreign' | 'missing'> & {
  readonly candidates: readonly ListedObject[];
};

/** After the marking: what was named then has to be there. */
async function listBlobs(
  store: CollectStore,
  marks: Marks,
  horizonMs: number,
  stopIfAsked: () => Promise<void>,
): Promise<Listed> {
  const present = new Set<string>();
  const sorted = {
    needed: new Array<ListedObject>(),
    young: new Array<ListedObject>(),
    foreign: new Array<ListedObject>(),
    candidates: new Array<ListedObject>(),
  };
  for await (const object of store.list(allBlobsPrefix)) {
    if (present.size % 1000 === 0) await stopIfAsked();
    const sha256 = sha256OfKey(object.key);
    if (sha256 === null) {
      sorted.foreign.push(object);
      continue;
    }
    present.add(sha256);
    if (marks.namedBy(sha256) !== null) sorted.needed.push(object);
    else (isOld(object, horizonMs) ? sorted.candidates : sorted.young).push(object);
  }
  const missing = [...marks.promised()]
    .filter(([sha256]) => !present.has(sha256))
    .map(([sha256, namedBy]) => ({ sha256, namedBy }));
  return {
    needed: amountOf(sorted.needed),
    young: amountOf(sorted.young),
    foreign: amountOf(sorted.foreign),
    candidates: sorted.candidates,
    missing,
  };
}

/** Batch by batch: tell writers, see what they have named, look at the age again, delete. Returns what was deleted. */
async function sweep(
  store: CollectStore,
  marks: Marks,
  candidates: readonly ListedObject[],
  { graceMs, signal, onProgress = () => undefined }: CollectOptions,
): Promise<ListedObject[]> {
  const deleted: ListedObject[] = [];
  const lease = await SweepLease.take(store);
  const alive = async (): Promise<void> => await lease.keep();
  for (let from = 0; from < candidates.length; from += BATCH_BLOBS) {
    if (signal?.aborted === true) break;
    const batch = candidates.slice(from, from + BATCH_BLOBS);
    await lease.condemn(batch.map(({ key }) => sha256OfKey(key) ?? ''));
    await marks.update(alive);
    await mapLimit(batch, REQUESTS_AT_ONCE, async (object) => {
      if (signal?.aborted === true || marks.namedBy(sha256OfKey(object.key) ?? '') !== null) return;
      const sinceLookMs = stopWatch();
      const now = await store.look(object.key);
      // Written again meanwhile, or a store that tells no age: not ours to delete.
      if (now === null || now.ageMs === null || now.ageMs <= graceMs) return;
      await lease.keep();
      // This host stood still in between: the next collection looks again.
      if (sinceLookMs() > LOST_AFTER_MS) return;
      await store.deleteOnce(object.key);
      deleted.push(object);
    });
    onProgress(`Deleted ${deleted.length} of ${candidates.length} blobs`);
  }
  // Not in a `finally`: a delete without an answer may still be on its way, and writers shall see that.
  await lease.release();
  signal?.throwIfAborted();
  return deleted;
}

async function leftovers(store: CollectStore): Promise<ListedObject[]> {
  return await Array.fromAsync(store.list(probePrefix));
}

/** What was deleted and is needed now: unless it was written again. */
async function lostOf(store: CollectStore, marks: Marks, deleted: readonly ListedObject[]): Promise<Named[]> {
  const lost: Named[] = [];
  for (const { key } of deleted) {
    const sha256 = sha256OfKey(key) ?? '';
    const namedBy = marks.promisedBy(sha256);
    if (namedBy !== null && (await store.head(key)) === null) lost.push({ sha256, namedBy });
  }
  return lost;
}

/** A listing without a time gives 1970: of such an object nothing is known. */
function isOld({ lastModified }: ListedObject, horizonMs: number): boolean {
  return lastModified.getTime() > 0 && lastModified.getTime() < horizonMs;
}

function amountOf(objects: readonly ListedObject[]): Amount {
  return { objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) };
}
