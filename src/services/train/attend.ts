/**
 * Attends a running trainer to its end: what it says goes up, what the run wants goes down, and a trainer that is of no
 * more use is ended. One loop and no timers: whatever happens meanwhile is seen at the next turn.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SecpiError } from '../../contract/errors.ts';
import type { CheckpointUploads } from './checkpointUploads.ts';
import { tailEvents } from './eventTail.ts';
import { decideGrace, usableGraceMs } from './grace.ts';
import { createGuards } from './guards.ts';
import { createHearing, type Heard } from './hearing.ts';
import { watchMemoryKills } from './memoryKills.ts';
import type { TrainerProcess } from './trainerProcess.ts';
import type { CheckpointEvent, StartedEvent } from './trainerProtocol.ts';
import type { MachineProbes, TrainingHost, TrainingRequest } from './training.ts';
import { isFolder, isHeldBy, touchLease, type TrainingHome } from './trainingHome.ts';

const POLL_MS = 100;
const LEASE_EVERY_MS = 5000;
const HELD_EVERY_MS = 1000;

/** The attempt ends, and the trainer is left as it is: it is not this attempt's to end. `cause` is to be thrown. */
export class Detached extends Error {
  constructor(cause: unknown) {
    super('detached', { cause });
    this.name = 'Detached';
  }
}

export interface Attendance {
  readonly request: TrainingRequest;
  readonly host: TrainingHost;
  readonly probes: MachineProbes;
  readonly home: TrainingHome;
  readonly trainer: TrainerProcess;
  /** Null for an export, which saves nothing and hears no commands. */
  readonly uploads: CheckpointUploads | null;
  /** What was said before is read first, and told as one. */
  readonly adopted: boolean;
  /** Steps whose checkpoints the store has whole: an adopted trainer's are not offered again. */
  readonly storedSteps: ReadonlySet<number>;
  /** Requests of a checkpoint that were made before the attempt began. */
  readonly requestsBefore: number;
  readonly onFirstStep: (started: StartedEvent | null) => void;
}

/** Why the trainer was told to leave. */
export type Leaving = 'pause' | 'stop' | 'notice';

export interface Attended extends Heard {
  readonly leaving: Leaving | null;
  /** Set when a guard ended it. */
  readonly stalled: SecpiError | null;
  /** By how many the kernel's count of kills for lack of memory rose in the seconds before the end was seen. */
  readonly oomKills: number;
}

/**
 * Resolves when the trainer has ended. Throws what makes the attempt end with a trainer that is to be ended (the
 * reason of a cancel, HEAD_FENCED from an upload), or Detached.
 */
export async function attend(attendance: Attendance): Promise<Attended> {
  const { request, host, home, trainer, uploads } = attendance;
  const { limits } = request.settings;
  const tail = tailEvents(home.eventsFile);
  const guards = createGuards(
    { pid: trainer.pid, gpuIndex: host.gpu?.index ?? null },
    limits,
    attendance.probes,
  );
  const memoryKills = watchMemoryKills(async () => await attendance.probes.oomKills());
  const hearing = createHearing(
    {
      onFigures: (figures, note) => host.onFigures(figures, note),
      onNote: (note) => host.onNote(note),
      onFirstStep: attendance.onFirstStep,
      onCheckpoint: offer,
      onEarlierCheckpoint: async (event) => {
        // It may be in the store, or gone as one that was skipped.
        if (!attendance.storedSteps.has(event.step) && (await isFolder(event.dir))) await offer(event);
      },
    },
    attendance,
  );
  let leaving: Leaving | null = null;
  let isToldToLeave = false;
  let killAtMs = Number.POSITIVE_INFINITY;
  let stalled: SecpiError | null = null;
  let handledRequests = attendance.requestsBefore;
  let leaseAtMs = 0;
  let heldAtMs = 0;
  let uploadFailure: { readonly error: unknown } | null = null;
  uploads?.failed.catch((reason: unknown) => (uploadFailure = { error: reason }));

  async function requireHeld(): Promise<void> {
    if (await isHeldBy(home, request.epoch)) return;
    const problem = 'a later attempt attends this training on this host.';
    throw new Detached(new SecpiError('HEAD_FENCED', problem));
  }

  async function offer({ step, dir, evalLoss, final }: CheckpointEvent): Promise<void> {
    await requireHeld();
    uploads?.offer({ step, dir, evalLoss, final });
  }

  async function leave(why: Leaving): Promise<void> {
    leaving = why;
    if (isToldToLeave) return;
    await requireHeld();
    isToldToLeave = true;
    await trainer.signal('SIGTERM');
  }

  async function kill(): Promise<void> {
    await requireHeld();
    await trainer.kill();
  }

  async function heedAbort(): Promise<void> {
    if (!host.signal.aborted || leaving === 'notice') return;
    switch (host.whyAborted()) {
      case 'cancelled':
        throw host.signal.reason;
      case 'lost':
        throw uploads === null ? host.signal.reason : new Detached(host.signal.reason);
      case 'notice':
        await heedNotice(host.graceMs());
    }
  }

  async function heedNotice(graceMs: number): Promise<void> {
    const { started, lastCheckpoint, lastStepMs } = hearing.heard();
    const hasState = uploads !== null && started !== null;
    const decision = decideGrace({
      graceMs,
      stepSeconds: hearing.stepSeconds(),
      secondsIntoStep: (Date.now() - lastStepMs) / 1000,
      saveSeconds: lastCheckpoint?.seconds ?? null,
      uploadBytes: lastCheckpoint === null ? null : sizeOf(lastCheckpoint),
      uploadBytesPerSecond: uploads?.bytesPerSecond() ?? null,
    });
    host.onNote(hasState ? decision.note : 'notice: leaving at once, there is nothing to save');
    const saves = hasState && decision.saves;
    killAtMs = saves ? Date.now() + usableGraceMs(graceMs) : 0;
    if (saves) await leave('notice');
    leaving = 'notice';
  }

  async function heedControl(): Promise<void> {
    if (uploads === null || leaving === 'notice') return;
    const { wanted, checkpointRequests } = host.control();
    if (wanted !== 'train' && leaving !== wanted) await leave(wanted);
    // Before its handlers are set, the signal would end the trainer.
    if (checkpointRequests > handledRequests && hearing.heard().started !== null && !isToldToLeave) {
      handledRequests = checkpointRequests;
      await requireHeld();
      await trainer.signal('SIGUSR1');
    }
  }

  async function keepLease(): Promise<void> {
    const now = Date.now();
    if (now - heldAtMs >= HELD_EVERY_MS) {
      heldAtMs = now;
      await requireHeld();
    }
    if (now - leaseAtMs >= LEASE_EVERY_MS) {
      leaseAtMs = now;
      await touchLease(home);
    }
  }

  async function look(): Promise<void> {
    await keepLease();
    if (uploadFailure !== null) throw uploadFailure.error;
    await heedAbort();
    await heedControl();
    if (Date.now() > killAtMs) await kill();
    stalled ??= await guards.look();
    if (stalled !== null) await kill();
  }

  for (;;) {
    const isAlive = await trainer.isAlive(); // asked first: what it said before its end is read then
    for (const event of await tail.read()) {
      await hearing.take(event);
      guards.progress(uploads !== null && hearing.isStepping());
    }
    await hearing.catchUp();
    if (!isAlive) return { ...hearing.heard(), leaving, stalled, oomKills: await memoryKills.rise() };
    await memoryKills.sample();
    await look();
    await delay(POLL_MS);
  }
}

function sizeOf({ files }: CheckpointEvent): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
