/**
 * One attempt at a training: adopts the trainer that an earlier attempt left on this host, or starts one from the
 * newest checkpoint; attends it, and uploads behind it. Free of Temporal: the activity gives it epoch, signal and
 * callbacks. See DESIGN.md.
 */
import { messageOf, SecpiError } from '../../contract/errors.ts';
import { drainUploads, leaveHome, type Attempt } from './attempt.ts';
import { attend, Detached, type Attended } from './attend.ts';
import { startCheckpointUploads, type CheckpointUploads } from './checkpointUploads.ts';
import { startExport } from './exportBest.ts';
import { launch, offerUnsaved, soundCheckpoints, type Launched } from './launch.ts';
import { systemProbes } from './machineProbes.ts';
import { concludeEnding } from './trainerEnding.ts';
import { logTail } from './trainerProcess.ts';
import type { StartedEvent } from './trainerProtocol.ts';
import type { MachineProbes, TrainingEnd, TrainingHost, TrainingRequest } from './training.ts';
import { readRecord, trainingHome } from './trainingHome.ts';

export { TRAIN_CODE_VERSION } from './training.ts';
export type {
  AttemptFigures,
  MachineProbes,
  TrainingEnd,
  TrainingHost,
  TrainingOutcome,
  TrainingRequest,
} from './training.ts';

/**
 * Throws PREEMPTED after a notice, the signal's reason after a cancel or a loss, HEAD_FENCED when another attempt has
 * taken over, NOTHING_TRAINED for a stop without a checkpoint, TRAINER_STALLED from a guard, and what ended the
 * trainer. Nothing is left running, except after a loss or where a later attempt on this host attends the trainer.
 */
export async function runTraining(
  request: TrainingRequest,
  host: TrainingHost,
  probes: MachineProbes = systemProbes,
): Promise<TrainingEnd> {
  const startedMs = Date.now();
  const home = trainingHome(host.trainingsDir, request.fingerprint);
  const endUploads = new AbortController();
  try {
    const uploads = startUploads(request, host, endUploads.signal);
    const requestsBefore = host.control().checkpointRequests;
    const attempt: Attempt = { request, host, probes, home, uploads, startedMs, requestsBefore };
    const end = await train(attempt);
    if (end.status === 'paused') await leaveHome(home, request.epoch);
    return end;
  } catch (error) {
    if (error instanceof Detached) throw error.cause;
    const isAborted = host.signal.aborted;
    const mayGoOn = isAborted
      ? host.whyAborted() !== 'cancelled'
      : error instanceof SecpiError && error.code === 'STORE_UNAVAILABLE';
    await leaveHome(home, request.epoch, { log: !isAborted, unsaved: mayGoOn });
    if (host.signal.aborted && host.whyAborted() === 'notice' && !(error instanceof SecpiError))
      throw new SecpiError('PREEMPTED', 'the machine is taken away before the trainer ran.', {
        cause: error,
      });
    throw error;
  } finally {
    endUploads.abort();
  }
}

function startUploads(request: TrainingRequest, host: TrainingHost, signal: AbortSignal): CheckpointUploads {
  return startCheckpointUploads({
    trainings: host.store.trainings,
    fingerprint: request.fingerprint,
    epoch: request.epoch,
    keep: request.settings.keepCheckpoints,
    rollbacks: request.rollbacks,
    signal,
    onPublished: ({ step }) => host.onFigures({ lastCheckpoint: step }, `checkpoint ${step} is safe`),
    onDelay: (step, problem) => host.onNote(`checkpoint ${step} waits for the store: ${problem}`),
    onSlow: (message) => host.onNote(message),
  });
}

async function train(attempt: Attempt): Promise<TrainingEnd> {
  const { host, uploads, request } = attempt;
  const launched = await launch(attempt);
  if (launched === null) return await leaveEarly(attempt, host.control().wanted);
  let { unsaved } = launched;
  const attended = await attend({
    ...attempt,
    ...launched,
    adopted: launched.figures.adopted,
    uploads,
    storedSteps: new Set(
      soundCheckpoints(request.checkpoints, launched.record.damaged).map(({ step }) => step),
    ),
    onFirstStep: (started) => {
      if (unsaved !== null) offerUnsaved(attempt, unsaved);
      unsaved = null;
      tellTimings(attempt, launched, started);
    },
  });
  const { leaving, finished, error, stalled } = attended;
  // Also when it was told to leave before its first step: nothing says then that it could not read it.
  if (unsaved !== null && (finished !== null || leaving !== null)) offerUnsaved(attempt, unsaved);
  await drainUploads(attempt);
  if (finished === null && error === null) {
    if (leaving !== null) return await leaveEarly(attempt, leaving === 'stop' ? 'stop' : 'pause');
    if (stalled !== null) throw stalled;
  }
  return await conclude(attempt, launched, attended, null);
}

/** The trainer has left, or never began, since the run is to be paused or stopped. */
async function leaveEarly(attempt: Attempt, wanted: 'pause' | 'stop' | 'train'): Promise<TrainingEnd> {
  if (wanted !== 'stop') {
    const { host, home, request } = attempt;
    const listed = await host.store.trainings.list(request.fingerprint);
    const damaged = (await readRecord(home))?.damaged ?? [];
    return { status: 'paused', step: soundCheckpoints(listed, damaged).at(-1)?.step ?? 0 };
  }
  const launched = await startExport(attempt);
  const attended = await attend({
    ...attempt,
    ...launched,
    adopted: false,
    uploads: null,
    storedSteps: new Set(),
    onFirstStep: () => undefined,
  });
  if (attended.leaving === 'notice')
    throw new SecpiError('PREEMPTED', 'the machine is taken away during the export.');
  if (attended.stalled !== null) throw attended.stalled;
  return await conclude(attempt, launched, attended, launched.figures.resumedFromStep);
}

async function conclude(
  { home, request }: Attempt,
  { trainer, record, figures }: Launched,
  attended: Attended,
  stoppedEarlyAtStep: number | null,
): Promise<TrainingEnd> {
  const ended = concludeEnding({
    ...attended,
    exit: await trainer.exited,
    logTail: await logTail(home.logFile),
  });
  return {
    status: 'trained',
    outcome: {
      ...ended,
      files: record.files,
      resumedFromStep: figures.resumedFromStep,
      stoppedEarlyAtStep,
      release: async () => await leaveHome(home, request.epoch),
    },
  };
}

function tellTimings({ host }: Attempt, { figures }: Launched, started: StartedEvent | null): void {
  const { adopted } = figures;
  host
    .onResume({
      ...figures,
      importSeconds: adopted ? null : (started?.importSeconds ?? null),
      loadSeconds: adopted ? null : (started?.loadSeconds ?? null),
      firstStepMs: Date.now(),
    })
    // The training is worth more than its figures.
    .catch((error: unknown) => host.onNote(`the attempt's timings were not kept: ${messageOf(error)}`));
}
