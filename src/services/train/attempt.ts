/** What the parts of one attempt share, and how it ends: uploads drained, the home left clean. */
import { rename } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { ifPresent } from '../processOwner.ts';
import type { CheckpointEntry } from '../store/index.ts';
import { Detached } from './attend.ts';
import type { CheckpointUploads } from './checkpointUploads.ts';
import { usableGraceMs } from './grace.ts';
import { attachTrainer } from './trainerProcess.ts';
import type { MachineProbes, TrainingHost, TrainingRequest } from './training.ts';
import { isHeldBy, readRecord, removeHome, type TrainingHome } from './trainingHome.ts';

export interface Attempt {
  readonly request: TrainingRequest;
  readonly host: TrainingHost;
  readonly probes: MachineProbes;
  readonly home: TrainingHome;
  readonly uploads: CheckpointUploads;
  readonly startedMs: number;
  /** The head's at the beginning, oldest first; nobody else adds to them. */
  readonly stored: readonly CheckpointEntry[];
  /** Of a checkpoint, as the control query counted them at the beginning. */
  readonly requestsBefore: number;
}

/**
 * Waits until all that was offered is in the store, for as long as the attempt may: after a notice until the grace is
 * used up, then PREEMPTED.
 */
export async function drainUploads({ uploads, host }: Attempt): Promise<void> {
  const drained = uploads.drain();
  drained.catch(() => undefined); // awaited below, unless the attempt ends first
  await Promise.race([drained, aborted(host.signal)]);
  if (!host.signal.aborted) return await drained;
  switch (host.whyAborted()) {
    case 'cancelled':
      throw host.signal.reason;
    case 'lost':
      throw new Detached(host.signal.reason);
    case 'notice': {
      const isSafe = await Promise.race([
        uploads.drain({ publishedOnly: true }).then(
          () => true,
          (error: unknown) => {
            host.onNote(`the last checkpoint did not reach the store: ${messageOf(error)}`);
            return false;
          },
        ),
        delay(usableGraceMs(host.graceMs()), false, { ref: false }),
      ]);
      throw new SecpiError(
        'PREEMPTED',
        isSafe
          ? 'the machine is taken away; what was saved is in the store.'
          : 'the machine is taken away; the last checkpoint is not in the store.',
      );
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}

/**
 * Ends the trainer and removes the home, unless a later attempt has taken both. After a failure the trainer's log
 * stays beside the home.
 */
export async function leaveHome(
  home: TrainingHome,
  epoch: number,
  { keepsLog }: { readonly keepsLog: boolean } = { keepsLog: false },
): Promise<void> {
  if (!(await isHeldBy(home, epoch))) return;
  await attachTrainer((await readRecord(home))?.owner ?? null)?.kill();
  if (keepsLog) await ifPresent(rename(home.logFile, `${home.dir}.log`));
  await removeHome(home);
}
