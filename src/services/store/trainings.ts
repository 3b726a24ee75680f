/** Trainings: one writer at a time, and the checkpoints it published. */
import { SecpiError } from '../../contract/errors.ts';
import { checkpointManifestSchema, trainingHeadSchema } from '../../contract/manifest.ts';
import type { CheckpointManifest, TrainingHead } from '../../contract/manifest.ts';
import type { Owner } from '../../contract/refs.ts';
import { isDamage } from './blobs.ts';
import type { Blobs } from './blobs.ts';
import { sha256Hex } from './hash.ts';
import { claimHead, parseStored, readHead, readHeadAs, storedForm, updateHead } from './heads.ts';
import type { IsOwnerAlive } from './heads.ts';
import { checkpointKey, trainingHeadKey } from './keys.ts';
import type { ObjectStore } from './objectStore.ts';

/** A checkpoint as the head lists it, oldest first. */
export type CheckpointEntry = TrainingHead['checkpoints'][number];

export type TrainingClaim =
  | { readonly status: 'owned'; readonly epoch: number; readonly checkpoints: readonly CheckpointEntry[] }
  | { readonly status: 'busy'; readonly owner: Owner };

export interface SkippedCheckpoint {
  readonly step: number;
  readonly epoch: number;
  /** What was wrong with it. */
  readonly problem: string;
}

export interface PublishCheckpointRequest {
  readonly fingerprint: string;
  readonly epoch: number;
  readonly step: number;
  /** The whole state of the trainer; nobody writes into it any more. */
  readonly dir: string;
  readonly signal?: AbortSignal;
}

export interface Trainings {
  claim(fingerprint: string, owner: Owner, isOwnerAlive: IsOwnerAlive): Promise<TrainingClaim>;
  /** Blobs, then the manifest, then the head. HEAD_FENCED before anything is uploaded, and again at the end. */
  publishCheckpoint(request: PublishCheckpointRequest): Promise<CheckpointManifest>;
  /** The checkpoints that the head lists, oldest first; empty where there is no training. */
  list(fingerprint: string): Promise<readonly CheckpointEntry[]>;
  /**
   * Downloads the newest checkpoint whose blobs verify into `dir`; null when none does. `skipped` tells the newer
   * ones that are damaged. An outage of the store is thrown, and never counted as damage.
   */
  newestVerified(
    fingerprint: string,
    dir: string,
    signal?: AbortSignal,
  ): Promise<{
    readonly checkpoint: CheckpointManifest | null;
    readonly skipped: readonly SkippedCheckpoint[];
  }>;
  /**
   * Keeps the `keep` (at least 2) newest checkpoints that read back whole, and takes older ones off the list and
   * deletes their manifests; their blobs are left to the garbage collection. Returns what was dropped: nothing,
   * while fewer than `keep` read back.
   */
  prune(
    fingerprint: string,
    epoch: number,
    keep: number,
    signal?: AbortSignal,
  ): Promise<readonly CheckpointEntry[]>;
}

export function createTrainings(store: ObjectStore, blobs: Blobs): Trainings {
  /** Hashes of manifests whose blobs this process has read back: a checkpoint is read back once. */
  const readBack = new Set<string>();
  const headPlace = (fingerprint: string) => ({
    store,
    key: trainingHeadKey(fingerprint),
    schema: trainingHeadSchema,
  });

  async function manifestOf({ key, sha256 }: CheckpointEntry): Promise<CheckpointManifest> {
    const found = await store.get(key);
    if (found === null)
      throw new SecpiError('BLOB_MISSING', `The manifest ${store.uriOf(key)} is not there.`);
    if (sha256Hex(found.bytes) !== sha256)
      throw new SecpiError('BLOB_CORRUPT', `The manifest ${store.uriOf(key)} was changed.`);
    return parseStored(checkpointManifestSchema, found.bytes, store.uriOf(key));
  }

  /** What is wrong with a checkpoint; null when it reads back whole. */
  async function damageOf(entry: CheckpointEntry, signal?: AbortSignal): Promise<string | null> {
    if (readBack.has(entry.sha256)) return null;
    return damageIn(async () => {
      for (const file of (await manifestOf(entry)).files) await blobs.verify(file, signal);
      readBack.add(entry.sha256);
    });
  }

  /**
   * Writes the manifest of a step. One that an earlier attempt of this epoch wrote holds if it reads back whole,
   * and is replaced if it is damaged: then the step was trained again for that reason.
   */
  async function writeManifest(
    key: string,
    manifest: CheckpointManifest,
    signal?: AbortSignal,
  ): Promise<CheckpointManifest> {
    const bytes = storedForm(manifest);
    if ((await store.putIfAbsent(key, bytes)) !== 'conflict') return manifest;
    const present = await store.get(key);
    if (present === null) return writeManifest(key, manifest, signal);
    const entry = { step: manifest.step, epoch: manifest.epoch, key, sha256: sha256Hex(present.bytes) };
    if ((await damageOf(entry, signal)) === null) return manifestOf(entry);
    const { replaced } = await store.replaceIfMatch(key, bytes, present.etag);
    return replaced ? manifest : writeManifest(key, manifest, signal);
  }

  return {
    async claim(fingerprint, owner, isOwnerAlive) {
      const claim = await claimHead<TrainingHead>({
        ...headPlace(fingerprint),
        owner,
        isOwnerAlive,
        next: (base, previous) => ({ ...base, checkpoints: previous?.checkpoints ?? [] }),
        isClosed: () => false,
      });
      if (claim.status === 'busy') return claim;
      return { status: 'owned', epoch: claim.head.epoch, checkpoints: claim.head.checkpoints };
    },

    async publishCheckpoint({ fingerprint, epoch, step, dir, signal }) {
      const place = { ...headPlace(fingerprint), epoch };
      await readHeadAs(place);
      const files = await blobs.putFolder(dir, signal);
      const key = checkpointKey(fingerprint, step, epoch);
      const manifest = await writeManifest(
        key,
        { step, epoch, files, createdAt: new Date().toISOString() },
        signal,
      );
      const entry: CheckpointEntry = { step, epoch, key, sha256: sha256Hex(storedForm(manifest)) };
      await updateHead<TrainingHead>({
        ...place,
        change: (head) =>
          head.checkpoints.some((listed) => listed.key === key && listed.sha256 === entry.sha256)
            ? null
            : {
                ...head,
                updatedAt: new Date().toISOString(),
                checkpoints: listedWith(head.checkpoints, entry),
              },
      });
      return manifest;
    },

    async list(fingerprint) {
      return (await readHead(headPlace(fingerprint)))?.head.checkpoints ?? [];
    },

    async newestVerified(fingerprint, dir, signal) {
      const checkpoints = (await readHead(headPlace(fingerprint)))?.head.checkpoints ?? [];
      const skipped: SkippedCheckpoint[] = [];
      for (const entry of checkpoints.toReversed()) {
        let checkpoint: CheckpointManifest | undefined;
        const problem = await damageIn(async () => {
          checkpoint = await manifestOf(entry);
          await blobs.readFolder(checkpoint.files, dir, signal);
        });
        if (problem === null && checkpoint !== undefined) {
          readBack.add(entry.sha256);
          return { checkpoint, skipped };
        }
        skipped.push({ step: entry.step, epoch: entry.epoch, problem: problem ?? '' });
      }
      return { checkpoint: null, skipped };
    },

    async prune(fingerprint, epoch, keep, signal) {
      if (!Number.isSafeInteger(keep) || keep < 2)
        throw new RangeError('keep must be an integer of at least 2');
      const { head } = await readHeadAs({ ...headPlace(fingerprint), epoch });
      let whole = 0;
      let oldestKept = head.checkpoints.length;
      while (whole < keep && oldestKept > 0) {
        oldestKept -= 1;
        const entry = head.checkpoints[oldestKept];
        if (entry !== undefined && (await damageOf(entry, signal)) === null) whole += 1;
      }
      const dropped = whole < keep ? [] : head.checkpoints.slice(0, oldestKept);
      if (dropped.length === 0) return [];
      const keys = new Set(dropped.map(({ key }) => key));
      await updateHead<TrainingHead>({
        ...headPlace(fingerprint),
        epoch,
        change: (current) => {
          const checkpoints = current.checkpoints.filter(({ key }) => !keys.has(key));
          return checkpoints.length === current.checkpoints.length
            ? null
            : { ...current, updatedAt: new Date().toISOString(), checkpoints };
        },
      });
      for (const { key } of dropped) await store.delete(key);
      return dropped;
    },
  };
}

/** Steps in order; of one step, the later epoch counts as newer. An entry of the same key is replaced. */
function listedWith(checkpoints: readonly CheckpointEntry[], entry: CheckpointEntry): CheckpointEntry[] {
  return [...checkpoints.filter(({ key }) => key !== entry.key), entry].sort(
    (a, b) => a.step - b.step || a.epoch - b.epoch,
  );
}

/** Runs work on a checkpoint; the problem if it met damage. Other failures are thrown. */
async function damageIn(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.problem;
  }
}
