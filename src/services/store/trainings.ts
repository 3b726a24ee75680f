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
import { allBlobsPrefix, checkpointKey, trainingHeadKey } from './keys.ts';
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
  /** Held-out loss of this step; null where it was not measured. */
  readonly evalLoss: number | null;
  /** Divergences rolled back before this state. */
  readonly rollbacks: number;
  /** The last step of the training. */
  readonly final: boolean;
  readonly signal?: AbortSignal;
}

export interface PublishedCheckpoint {
  readonly checkpoint: CheckpointManifest;
  /** What went over the network: the files that the store did not have. */
  readonly uploadedBytes: number;
}

/** What a look through the checkpoints found and did. */
export interface PrunedCheckpoints {
  readonly dropped: readonly CheckpointEntry[];
  /** Listed checkpoints among those looked at that do not read back, newest first. */
  readonly damaged: readonly SkippedCheckpoint[];
}

export interface Trainings {
  claim(fingerprint: string, owner: Owner, isOwnerAlive: IsOwnerAlive): Promise<TrainingClaim>;
  /**
   * Blobs, then the manifest, then the head. HEAD_FENCED before anything is uploaded, and again at the end. Of each
   * blob the store has confirmed checksum and size; that its bytes read back, `prune` looks at before it drops others.
   */
  publishCheckpoint(request: PublishCheckpointRequest): Promise<PublishedCheckpoint>;
  /** The checkpoints that the head lists, oldest first; empty where there is no training. */
  list(fingerprint: string): Promise<readonly CheckpointEntry[]>;
  /** Downloads this checkpoint into `dir`, verified. BLOB_MISSING, BLOB_CORRUPT. */
  read(entry: CheckpointEntry, dir: string, signal?: AbortSignal): Promise<CheckpointManifest>;
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
   * Keeps the `keep` (at least 2) newest checkpoints that read back whole, the best (lowest `evalLoss`) and the final
   * one that do, and every one newer than the oldest of the `keep`; takes the others off the list and deletes their
   * manifests. Their blobs are left to the garbage collection. Drops nothing while fewer than `keep` read back.
   * A checkpoint is read back once a process.
   */
  prune(fingerprint: string, epoch: number, keep: number, signal?: AbortSignal): Promise<PrunedCheckpoints>;
  /** Aborts uploads of blobs that began more than a day ago: those of dead attempts. Returns how many. */
  abortStaleUploads(): Promise<number>;
}

/** No upload of one file takes so long: a younger one may be of a living attempt, on this host or another. */
const STALE_UPLOAD_MS = 24 * 3_600_000;

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

  async function read(
    entry: CheckpointEntry,
    dir: string,
    signal?: AbortSignal,
  ): Promise<CheckpointManifest> {
    const checkpoint = await manifestOf(entry);
    await blobs.readFolder(checkpoint.files, dir, signal);
    readBack.add(entry.sha256);
    return checkpoint;
  }

  /**
   * Writes the manifest of a step. One that an earlier attempt of this epoch wrote holds if it reads back whole,
   * and is replaced if it is damaged: then the step was trained again for that reason.
   */
  async function writeManifest(
    key: string,
    manifest: CheckpointManifest,
    signal?: AbortSignal,
  ): Promise<{ checkpoint: CheckpointManifest; entry: CheckpointEntry }> {
    const bytes = storedForm(manifest);
    const own = { checkpoint: manifest, entry: entryOf(key, manifest, sha256Hex(bytes)) };
    if ((await store.putIfAbsent(key, bytes)) !== 'conflict') return own;
    const present = await store.get(key);
    if (present === null) return writeManifest(key, manifest, signal);
    const sha256 = sha256Hex(present.bytes);
    if ((await damageOf({ ...own.entry, sha256 }, signal)) === null) {
      const checkpoint = await manifestOf({ ...own.entry, sha256 });
      return { checkpoint, entry: entryOf(key, checkpoint, sha256) };
    }
    const { replaced } = await store.replaceIfMatch(key, bytes, present.etag);
    return replaced ? own : writeManifest(key, manifest, signal);
  }

  /** The entries that `prune` keeps; null while fewer than `keep` read back. */
  async function entriesToKeep(
    checkpoints: readonly CheckpointEntry[],
    keep: number,
    isWhole: (entry: CheckpointEntry) => Promise<boolean>,
  ): Promise<ReadonlySet<CheckpointEntry> | null> {
    const kept = new Set<CheckpointEntry>();
    let whole = 0;
    for (const entry of checkpoints.toReversed()) {
      if (whole === keep) break;
      kept.add(entry);
      if (await isWhole(entry)) whole += 1;
    }
    if (whole < keep) return null;
    const newestFirst = checkpoints.toReversed();
    const pinned = [
      newestFirst.filter(({ final }) => final),
      newestFirst.filter(({ evalLoss }) => evalLoss !== null).sort(byEvalLoss),
    ];
    for (const candidates of pinned) {
      for (const entry of candidates) {
        if (!(await isWhole(entry))) continue;
        kept.add(entry);
        break;
      }
    }
    return kept;
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

    async publishCheckpoint({ fingerprint, epoch, step, dir, evalLoss, rollbacks, final, signal }) {
      const place = { ...headPlace(fingerprint), epoch };
      await readHeadAs(place);
      let uploadedBytes = 0;
      const files = await blobs.putFolder(dir, signal, (bytes) => {
        uploadedBytes += bytes;
      });
      await blobs.requireYoung(files);
      const createdAt = new Date().toISOString();
      const manifest = { step, epoch, files, evalLoss, rollbacks, final, createdAt };
      const key = checkpointKey(fingerprint, step, epoch);
      const { checkpoint, entry } = await writeManifest(key, manifest, signal);
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
      return { checkpoint, uploadedBytes };
    },

    async list(fingerprint) {
      return (await readHead(headPlace(fingerprint)))?.head.checkpoints ?? [];
    },

    read,

    async newestVerified(fingerprint, dir, signal) {
      const checkpoints = (await readHead(headPlace(fingerprint)))?.head.checkpoints ?? [];
      const skipped: SkippedCheckpoint[] = [];
      for (const entry of checkpoints.toReversed()) {
        let checkpoint: CheckpointManifest | undefined;
        const problem = await damageIn(async () => {
          checkpoint = await read(entry, dir, signal);
        });
        if (problem === null && checkpoint !== undefined) return { checkpoint, skipped };
        skipped.push({ step: entry.step, epoch: entry.epoch, problem: problem ?? '' });
      }
      return { checkpoint: null, skipped };
    },

    async prune(fingerprint, epoch, keep, signal) {
      if (!Number.isSafeInteger(keep) || keep < 2)
        throw new RangeError('keep must be an integer of at least 2');
      const { head } = await readHeadAs({ ...headPlace(fingerprint), epoch });
      const damaged = new Map<string, SkippedCheckpoint>();
      const kept = await entriesToKeep(head.checkpoints, keep, async (entry) => {
        if (damaged.has(entry.key)) return false;
        const problem = await damageOf(entry, signal);
        if (problem !== null) damaged.set(entry.key, { step: entry.step, epoch: entry.epoch, problem });
        return problem === null;
      });
      const dropped = kept === null ? [] : head.checkpoints.filter((entry) => !kept.has(entry));
      if (dropped.length === 0) return { dropped, damaged: [...damaged.values()] };
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
      return { dropped, damaged: [...damaged.values()] };
    },

    abortStaleUploads: () => store.abortStaleUploads(allBlobsPrefix, STALE_UPLOAD_MS),
  };
}

function entryOf(key: string, checkpoint: CheckpointManifest, sha256: string): CheckpointEntry {
  const { step, epoch, evalLoss, final } = checkpoint;
  return { step, epoch, key, sha256, evalLoss, final };
}

function byEvalLoss(a: CheckpointEntry, b: CheckpointEntry): number {
  return (a.evalLoss ?? Number.POSITIVE_INFINITY) - (b.evalLoss ?? Number.POSITIVE_INFINITY);
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
