/**
 * Uploads checkpoints behind the training: one in flight, the newest next, older ones in between are skipped. A store
 * that is gone for minutes does not stop the training; a higher epoch does.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SecpiError } from '../../contract/errors.ts';
import type { Trainings } from '../store/trainings.ts';

const STORE_RETRY_MS = 3000;

export interface CheckpointUploads {
  /** Takes the folder over: it is deleted when published or skipped. */
  offer(step: number, dir: string): void;
  /** Resolves when everything offered is published; throws what stopped the uploads. */
  drain(): Promise<void>;
  /** Rejects as soon as an upload failed for good, e.g. with HEAD_FENCED. */
  readonly failed: Promise<never>;
}

export interface UploadOptions {
  readonly trainings: Trainings;
  readonly fingerprint: string;
  readonly epoch: number;
  readonly keep: number;
  readonly signal: AbortSignal;
  readonly onPublished: (step: number) => void;
  readonly onDelay: (step: number, problem: string) => void;
}

export function startCheckpointUploads(options: UploadOptions): CheckpointUploads {
  let waiting: { step: number; dir: string } | null = null;
  let running: Promise<void> | null = null;
  let failure: unknown;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // whoever races against it sees it

  const work = async (): Promise<void> => {
    while (waiting !== null) {
      const { step, dir } = waiting;
      waiting = null;
      await publishPatiently(options, step, dir);
      await rm(dir, { recursive: true, force: true });
      options.onPublished(step);
      await options.trainings.prune(options.fingerprint, options.epoch, options.keep);
    }
  };
  const start = (): void => {
    running ??= work()
      .catch((error: unknown) => {
        failure = error;
        reject(error);
      })
      .finally(() => {
        running = null;
        if (waiting !== null && failure === undefined) start();
      });
  };
  return {
    offer: (step, dir) => {
      if (waiting !== null) void rm(waiting.dir, { recursive: true, force: true });
      waiting = { step, dir };
      start();
    },
    drain: async () => {
      for (let current = running; current !== null; current = running) await current;
      if (failure !== undefined) throw failure;
    },
    failed,
  };
}

async function publishPatiently(
  { trainings, fingerprint, epoch, signal, onDelay }: UploadOptions,
  step: number,
  dir: string,
): Promise<void> {
  for (;;) {
    try {
      await trainings.publishCheckpoint({ fingerprint, epoch, step, dir });
      return;
    } catch (error) {
      if (!(error instanceof SecpiError && error.code === 'STORE_UNAVAILABLE') || signal.aborted) throw error;
      onDelay(step, error.problem);
      await delay(STORE_RETRY_MS);
    }
  }
}
