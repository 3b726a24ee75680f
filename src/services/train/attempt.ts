/** What the parts of one attempt share, and how it ends: uploads drained, the home left clean. */
import { rename } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { ifPresent } from '../processOwner.ts';
import { Detached } from './attend.ts';
import type { CheckpointUploads } from './checkpointUploads.ts';
import { usableGraceMs } from './grace.ts';
import { endTrainers } from './trainerProcess.ts';
import type { MachineProbes, TrainingHost, TrainingRequest } from './training.ts';
import { readRecord, removeHome, unsavedIn, type TrainingHome } from './trainingHome.ts';

export interface Attempt {
  readonly request: TrainingRequest;
  readonly host: TrainingHost;
  readonly probes: MachineProbes;
  readonly home: TrainingHome;
  readonly uploads: CheckpointUploads;
  readonly startedMs: number;
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
 * stays beside the home; where the unsaved is kept, the home stays while it holds a checkpoint that the store lacks.
 */
export async function leaveHome(
  home: TrainingHome,
  epoch: number,
  keeps: { readonly log?: boolean; readonly unsaved?: boolean } = {},
): Promise<void> {
  const record = await readRecord(home);
  if (record?.epoch !== epoch) return;
  await endTrainers(home.configFile, record.owner);
  if (keeps.unsaved === true && (await unsavedIn(home, record)) !== null) return;
  if (keeps.log === true) await ifPresent(rename(home.logFile, `${home.dir}.log`));
  await removeHome(home);
}
