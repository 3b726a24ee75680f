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
import { launch, offerUnsaved, type Launched } from './launch.ts';
import { systemProbes } from './machineProbes.ts';
import { concludeEnding } from './trainerEnding.ts';
import { logTail } from './trainerProcess.ts';
import type { StartedEvent } from './trainerProtocol.ts';
import type { MachineProbes, TrainingEnd, TrainingHost, TrainingRequest } from './training.ts';
import { trainingHome } from './trainingHome.ts';

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
    // Asked before the home is taken: a store that is gone then costs the attempt, never a running trainer.
    const stored = await host.store.trainings.list(request.fingerprint);
    const uploads = startUploads(request, host, endUploads.signal);
    const requestsBefore = host.control().checkpointRequests;
    const attempt: Attempt = { request, host, probes, home, uploads, startedMs, stored, requestsBefore };
    const end = await train(attempt);
    if (end.status === 'paused') await leaveHome(home, request.epoch);
    return end;
  } catch (error) {
    if (error instanceof Detached) throw error.cause;
    await leaveHome(home, request.epoch, { keepsLog: !host.signal.aborted });
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
  const { host, uploads, stored } = attempt;
  const launched = await launch(attempt);
  if (launched === null) return await leaveEarly(attempt, host.control().wanted);
  let { unsaved } = launched;
  const attended = await attend({
    ...attempt,
    ...launched,
    adopted: launched.figures.adopted,
    uploads,
    storedSteps: new Set(stored.map(({ step }) => step)),
    onFirstStep: (started) => {
      if (unsaved !== null) offerUnsaved(attempt, unsaved);
      unsaved = null;
      tellTimings(attempt, launched, started);
    },
  });
  if (unsaved !== null && attended.finished !== null) offerUnsaved(attempt, unsaved);
  await drainUploads(attempt);
  const { leaving, finished, error, stalled } = attended;
  if (finished === null && error === null) {
    if (leaving !== null) return await leaveEarly(attempt, leaving === 'stop' ? 'stop' : 'pause');
    if (stalled !== null) throw stalled;
  }
  return await conclude(attempt, launched, attended, null);
}

/** The trainer has left, or never began, since the run is to be paused or stopped. */
async function leaveEarly(attempt: Attempt, wanted: 'pause' | 'stop' | 'train'): Promise<TrainingEnd> {
  if (wanted !== 'stop') {
    const stored = await attempt.host.store.trainings.list(attempt.request.fingerprint);
    return { status: 'paused', step: stored.at(-1)?.step ?? 0 };
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
  { home, request, probes }: Attempt,
  { trainer, record, figures }: Launched,
  attended: Attended,
  stoppedEarlyAtStep: number | null,
): Promise<TrainingEnd> {
  const ended = concludeEnding({
    ...attended,
    exit: await trainer.exited,
    oomKills: (await probes.oomKills()) - record.oomKills,
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
