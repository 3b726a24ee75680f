/**
 * Uploads checkpoints behind the training: one in flight, the newest next, older ones in between are skipped. Beside
 * it, published checkpoints are read back and old ones pruned. A store that is gone for minutes does not stop the
 * training; a higher epoch and a full disk do.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SecpiError } from '../../contract/errors.ts';
import type { Trainings } from '../store/trainings.ts';
import { createDiskGuard, freeBytesOf, type FreeBytes } from './diskRoom.ts';
import { createUploadPace } from './uploadPace.ts';

const STORE_RETRY_MS = 3000;

export interface OfferedCheckpoint {
  readonly step: number;
  /** Taken over: deleted once it is published and read back, or skipped. */
  readonly dir: string;
  /** Held-out loss of exactly this step; null where it was not measured. */
  readonly evalLoss: number | null;
  readonly final: boolean;
}

export interface CheckpointUpload {
  readonly step: number;
  /** The whole checkpoint. */
  readonly bytes: number;
  /** What the store did not have yet. */
  readonly uploadedBytes: number;
  /** From the begin of its upload to its publication, outages of the store included. */
  readonly seconds: number;
}

export interface CheckpointUploads {
  offer(checkpoint: OfferedCheckpoint): void;
  /**
   * Resolves when everything offered is published, read back and pruned; with `publishedOnly` (a preemption, where
   * every second counts) when it is published. Throws what stopped the uploads.
   */
  drain(options?: { readonly publishedOnly?: boolean }): Promise<void>;
  /** Rejects as soon as the uploads stopped for good: HEAD_FENCED, DISK_FULL, the signal's reason, … */
  readonly failed: Promise<never>;
  /** As measured in this attempt, hashing included; null before the first upload of what was mostly new. */
  bytesPerSecond(): number | null;
  /** Checkpoints that were never uploaded because a newer one came first. */
  skipped(): number;
}

export interface UploadOptions {
  readonly trainings: Trainings;
  readonly fingerprint: string;
  readonly epoch: number;
  /** Newest checkpoints to keep beside the best and the final one; at least 2. */
  readonly keep: number;
  /** Divergences rolled back so far: goes into the manifests. */
  readonly rollbacks: number;
  /** Gives everything up, the upload in flight too. A preemption that still uploads must not abort it. */
  readonly signal: AbortSignal;
  readonly onPublished: (upload: CheckpointUpload) => void;
  /** The store is gone or damaged something: the checkpoint waits, or is uploaded again. */
  readonly onDelay: (step: number, problem: string) => void;
  /** Uploads or disk fall behind the checkpoints, or keep up again: a sentence with figures, once a change. */
  readonly onSlow: (message: string) => void;
  readonly freeBytes?: FreeBytes;
}

export function startCheckpointUploads(options: UploadOptions): CheckpointUploads {
  const { trainings, fingerprint, epoch, keep, rollbacks } = options;
  const stop = new AbortController();
  const stopReadBack = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const pace = createUploadPace();
  let waiting: OfferedCheckpoint | null = null;
  let uploading: OfferedCheckpoint | null = null;
  /** Published; its folder is kept until it is read back, to upload it again if it does not. */
  let unread: OfferedCheckpoint | null = null;
  let pruneWanted = false;
  let staleSwept = false;
  let repairedStep: number | null = null;
  let skipped = 0;
  let rate: number | null = null;
  let failure: { readonly error: unknown } | null = null;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // whoever races against it sees it
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
    reject(error);
  };
  const publishing = createLane(() => waiting !== null && failure === null, publishWaiting, fail);
  const pruning = createLane(
    () => pruneWanted && failure === null && !stopReadBack.signal.aborted,
    readBackAndPrune,
    fail,
  );
  const disk = createDiskGuard({
    freeBytes: options.freeBytes ?? freeBytesOf,
    inUse: () => [waiting, uploading, unread].filter((held) => held !== null).map(({ dir }) => dir),
    release,
    onShort: options.onSlow,
  });

  async function publishWaiting(): Promise<void> {
    if (waiting === null) return;
    const next = waiting;
    uploading = next;
    waiting = null;
    await publish(next);
    if (unread === null) unread = next;
    else await removeFolder(next);
    uploading = null;
    pruneWanted = true;
    pruning.start();
    if (!next.final) await disk.check(next);
  }

  async function publish({ step, dir, evalLoss, final }: OfferedCheckpoint): Promise<void> {
    const beganMs = performance.now();
    const { checkpoint, uploadedBytes, attemptSeconds } = await patiently(step, async () => {
      const attemptMs = performance.now();
      const request = { fingerprint, epoch, step, dir, evalLoss, rollbacks, final, signal };
      const published = await trainings.publishCheckpoint(request);
      return { ...published, attemptSeconds: secondsSince(attemptMs) };
    });
    const bytes = checkpoint.files.reduce((sum, file) => sum + file.bytes, 0);
    // Steps that are trained again find their blobs in the store: the time goes into looking, and tells no speed.
    if (uploadedBytes * 2 >= bytes) rate = uploadedBytes / Math.max(attemptSeconds, 1e-3);
    const seconds = secondsSince(beganMs);
    options.onPublished({ step, bytes, uploadedBytes, seconds });
    const change = pace.published(seconds, skipped);
    if (change !== null) options.onSlow(change);
  }

  async function readBackAndPrune(): Promise<void> {
    pruneWanted = false;
    const looked = unread;
    const step = looked?.step ?? 0;
    const readSignal = AbortSignal.any([signal, stopReadBack.signal]);
    try {
      const pruned = await patiently(step, () => trainings.prune(fingerprint, epoch, keep, readSignal));
      for (const damage of pruned.damaged)
        options.onDelay(damage.step, `it does not read back: ${damage.problem}`);
      if (looked !== null && unread === looked)
        await settle(
          looked,
          pruned.damaged.some((damage) => damage.step === step && damage.epoch === epoch),
        );
      if (!staleSwept) await patiently(step, () => trainings.abortStaleUploads());
      staleSwept = true;
    } catch (error) {
      if (!stopReadBack.signal.aborted) throw error;
    }
  }

  /** A checkpoint that does not read back is uploaded again, once, unless a newer one waits. */
  async function settle(looked: OfferedCheckpoint, isDamaged: boolean): Promise<void> {
    unread = null;
    if (isDamaged && repairedStep !== looked.step && waiting === null) {
      repairedStep = looked.step;
      waiting = looked;
      publishing.start();
    } else await removeFolder(looked);
  }

  /** Gives up what the disk guard may take: what is published, and with `evenWaiting` what waits behind an upload. */
  async function release(evenWaiting: boolean): Promise<boolean> {
    const published = unread;
    unread = null;
    if (published !== null) await removeFolder(published);
    const given = evenWaiting && uploading !== null && waiting?.final === false ? waiting : null;
    if (given !== null) {
      waiting = null;
      skipped += 1;
      await removeFolder(given);
    }
    return uploading === null && waiting === null;
  }

  /** Tried again while the store is unavailable, until the signal. */
  async function patiently<T>(step: number, work: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof SecpiError && error.code === 'STORE_UNAVAILABLE')) throw error;
        options.onDelay(step, error.problem);
        await delay(STORE_RETRY_MS, undefined, { signal });
      }
    }
  }

  return {
    offer(checkpoint) {
      pace.written(checkpoint.step, performance.now());
      const isOlder = waiting !== null && waiting.step > checkpoint.step;
      const older = isOlder ? checkpoint : waiting;
      if (!isOlder) waiting = checkpoint;
      if (older !== null) {
        skipped += 1;
        removeFolder(older).catch(fail);
      }
      publishing.start();
      if (waiting !== null && !checkpoint.final) disk.check(checkpoint).catch(fail);
    },
    async drain({ publishedOnly = false } = {}) {
      if (publishedOnly) stopReadBack.abort();
      const awaited = publishedOnly ? [publishing] : [publishing, pruning];
      while (awaited.some((lane) => lane.busy())) for (const lane of awaited) await lane.idle();
      if (failure !== null) throw failure.error;
    },
    failed,
    bytesPerSecond: () => rate,
    skipped: () => skipped,
  };
}

/** Runs work again and again while there is some, one at a time. */
function createLane(
  hasWork: () => boolean,
  work: () => Promise<void>,
  fail: (error: unknown) => void,
): { start(): void; busy(): boolean; idle(): Promise<void> } {
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    try {
      while (hasWork()) await work();
    } catch (error) {
      fail(error);
    }
    running = null;
  };
  return {
    start() {
      // Without work it would end before it is noted as running, and be taken for running ever after.
      if (running === null && hasWork()) running = run();
    },
    busy: () => running !== null,
    async idle() {
      await running;
    },
  };
}

async function removeFolder({ dir }: OfferedCheckpoint): Promise<void> {
  await rm(dir, { recursive: true, force: true });
}

function secondsSince(beganMs: number): number {
  return (performance.now() - beganMs) / 1000;
}
