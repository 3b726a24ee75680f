/**
 * One attempt at a training: data and newest checkpoint down, the trainer supervised, checkpoints up behind it.
 * Free of Temporal: the activity gives it the epoch, the signal and the callbacks.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode, SecpiError, type ErrorCode } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { FinetuneSettings } from '../../contract/recipe.ts';
import type { Store } from '../store/index.ts';
import { startCheckpointUploads, type CheckpointUploads } from './checkpointUploads.ts';
import type { LocalModel } from './models.ts';
import { startPython, type PythonProcess } from './pythonProcess.ts';
import {
  EXIT_PREEMPTED,
  trainerEventSchema,
  type FinishedEvent,
  type StartedEvent,
  type TrainerEvent,
} from './trainerProtocol.ts';
import { writeTrainingFiles, type TrainingFiles } from './trainingData.ts';

/** Raised by hand when the same inputs train another model. */
export const TRAIN_CODE_VERSION = 1;
/** Between a preemption notice and SIGKILL: a step and a save of a small model fit. */
const SAVE_GRACE_MS = 60_000;

export interface TrainingRequest {
  readonly fingerprint: string;
  readonly epoch: number;
  readonly settings: FinetuneSettings;
  readonly traces: Manifest;
  readonly model: LocalModel;
}

export interface TrainingHost {
  readonly store: Store;
  readonly pythonPath: string;
  readonly pythonEnv: Readonly<Record<string, string>>;
  readonly workDir: string;
  readonly logFile: string;
  /** Aborted when the attempt must end; `isPreempted` tells whether what is there should be saved first. */
  readonly signal: AbortSignal;
  isPreempted(): boolean;
  /** Told of steps; `note` is a few words for people. */
  onStep(step: number, totalSteps: number, note: string): void;
  onNote(note: string): void;
  /** Before the trainer starts: the step it goes on from, 0 for the beginning. */
  onResume(step: number): Promise<void>;
  /** Polled every few seconds: a higher number asks for a checkpoint now. */
  checkpointRequests(): number;
}

export interface TrainingOutcome {
  readonly started: StartedEvent;
  readonly finished: FinishedEvent;
  readonly files: TrainingFiles;
  readonly resumedFromStep: number;
  /** Folder that holds adapterDir and mergedDir; the caller removes it after publication. */
  readonly dir: string;
}

export async function runTraining(request: TrainingRequest, host: TrainingHost): Promise<TrainingOutcome> {
  await mkdir(host.workDir, { recursive: true });
  const dir = await mkdtemp(join(host.workDir, 'training-'));
  let kept = false;
  try {
    const outcome = await trainIn(dir, request, host);
    kept = true;
    return outcome;
  } finally {
    if (!kept) await rm(dir, { recursive: true, force: true });
  }
}

async function trainIn(dir: string, request: TrainingRequest, host: TrainingHost): Promise<TrainingOutcome> {
  const { settings, fingerprint, epoch } = request;
  const paths = { trainFile: join(dir, 'train.jsonl'), evalFile: join(dir, 'eval.jsonl') };
  const files = await writeTrainingFiles(host.store, request.traces, settings, paths);
  const resumeDir = join(dir, 'resume');
  const resume = await host.store.trainings.newestVerified(fingerprint, resumeDir, host.signal);
  for (const { step, problem } of resume.skipped)
    host.onNote(`checkpoint ${step} is not whole (${problem}); the one before is used`);
  const resumedFromStep = resume.checkpoint?.step ?? 0;
  await host.onResume(resumedFromStep);
  const configFile = join(dir, 'config.json');
  const evalFile = files.evalRows > 0 ? paths.evalFile : null;
  const config = trainerConfig(settings, {
    modelDir: request.model.dir,
    trainFile: paths.trainFile,
    evalFile,
    outputDir: join(dir, 'out'),
  });
  await writeFile(
    configFile,
    JSON.stringify({ ...config, resumeFrom: resume.checkpoint === null ? null : resumeDir }),
  );
  const trainer = await startPython({
    pythonPath: host.pythonPath,
    args: ['-m', 'secpi_trainer', 'train', '--config', configFile],
    cwd: dir,
    env: host.pythonEnv,
    logFile: host.logFile,
    eventSchema: trainerEventSchema,
  });
  const uploads = startCheckpointUploads({
    trainings: host.store.trainings,
    fingerprint,
    epoch,
    keep: 2,
    signal: host.signal,
    onPublished: (step) => host.onNote(`checkpoint ${step} is safe`),
    onDelay: (step, problem) => host.onNote(`checkpoint ${step} waits for the store: ${problem}`),
  });
  const onAbort = (): void => {
    void trainer.stop(host.isPreempted() ? SAVE_GRACE_MS : 0);
  };
  try {
    host.signal.addEventListener('abort', onAbort, { once: true });
    if (host.signal.aborted) onAbort();
    const told = await Promise.race([listen(trainer, uploads, host), uploads.failed]);
    const { finished, started } = await concludeRun(trainer, told, uploads, host);
    return { started, finished, files, resumedFromStep, dir };
  } finally {
    host.signal.removeEventListener('abort', onAbort);
    await trainer.stop(0);
  }
}

interface Told {
  started: StartedEvent | null;
  finished: FinishedEvent | null;
  error: Extract<TrainerEvent, { event: 'error' }> | null;
}

/** Follows the trainer to its end. */
async function listen(
  trainer: PythonProcess<TrainerEvent>,
  uploads: CheckpointUploads,
  host: TrainingHost,
): Promise<Told> {
  const told: Told = { started: null, finished: null, error: null };
  let asked = host.checkpointRequests();
  const poll = setInterval(() => {
    if (host.checkpointRequests() > asked) {
      asked = host.checkpointRequests();
      trainer.send({ command: 'checkpoint' });
    }
  }, 1000);
  try {
    for await (const event of trainer.events) {
      switch (event.event) {
        case 'started':
          told.started = event;
          host.onStep(
            event.resumedFromStep ?? 0,
            event.totalSteps,
            event.resumedFromStep === null ? 'started' : `resumed from step ${event.resumedFromStep}`,
          );
          break;
        case 'step':
          host.onStep(event.step, told.started?.totalSteps ?? event.step, describeStep(event));
          break;
        case 'evaluated':
          host.onNote(`held-out loss ${event.evalLoss?.toFixed(4) ?? 'not finite'} at step ${event.step}`);
          break;
        case 'checkpoint':
          uploads.offer(event.step, event.dir);
          break;
        case 'finished':
          told.finished = event;
          break;
        case 'error':
          told.error = event;
          break;
      }
    }
  } finally {
    clearInterval(poll);
  }
  return told;
}

function describeStep({ loss, tokens, seconds }: Extract<TrainerEvent, { event: 'step' }>): string {
  return `loss ${loss?.toFixed(3) ?? 'not finite'} · ${(tokens / Math.max(seconds, 1e-9)).toFixed(0)} tokens/s`;
}

/** What the end of the process means. */
async function concludeRun(
  trainer: PythonProcess<TrainerEvent>,
  told: Told,
  uploads: CheckpointUploads,
  host: TrainingHost,
): Promise<{ started: StartedEvent; finished: FinishedEvent }> {
  const { code, signal } = await trainer.exited;
  if (host.signal.aborted && !host.isPreempted()) host.signal.throwIfAborted();
  await uploads.drain();
  if (code === EXIT_PREEMPTED || host.signal.aborted)
    throw new SecpiError('PREEMPTED', 'the trainer saved its state and left.');
  if (told.error !== null) throw trainerError(told.error);
  if (code !== 0 || told.finished === null || told.started === null) {
    const how = signal === null ? `exit code ${code}` : signal;
    throw new SecpiError(
      'TRAINER_CRASHED',
      `the trainer ended with ${how}. Its log ends: ${await trainer.logTail()}`,
    );
  }
  return { started: told.started, finished: told.finished };
}

function trainerError({
  code,
  field,
  message,
  remedy,
}: Extract<TrainerEvent, { event: 'error' }>): SecpiError {
  const known: ErrorCode = isErrorCode(code) ? code : 'TRAINER_CRASHED';
  return new SecpiError(known, message, {
    ...(field ? { field: `finetune.${field}` } : {}),
    ...(remedy ? { remedy } : {}),
  });
}

function trainerConfig(
  settings: FinetuneSettings,
  files: { modelDir: string; trainFile: string; evalFile: string | null; outputDir: string },
): Record<string, unknown> {
  const { model: _, evalShare: __, ...hyperParameters } = settings;
  return { ...files, ...hyperParameters, threads: null };
}
