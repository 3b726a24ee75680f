/** Brings a trainer to run in the home: adopts the one that runs there, or starts one from the newest checkpoint. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import { deviceEnvironment } from '../gpu/slots.ts';
import type { CheckpointEntry, SkippedCheckpoint } from '../store/index.ts';
import { drainUploads, type Attempt } from './attempt.ts';
import { Detached } from './attend.ts';
import { requireRoom } from './diskRoom.ts';
import { findEarlierTrainer, type EarlierTrainer } from './earlierTrainer.ts';
import { configSha256, trainerConfig } from './trainerConfig.ts';
import { endTrainers, startTrainer, type TrainerProcess } from './trainerProcess.ts';
import type { AttemptFigures, TrainingRequest } from './training.ts';
import { writeTrainingFiles } from './trainingData.ts';
import {
  clearHome,
  isHeldBy,
  readRecord,
  touchLease,
  writeRecord,
  type TrainerRecord,
  type TrainingHome,
  type UnsavedCheckpoint,
} from './trainingHome.ts';

/** A trainer that runs or has run in the home, and how it came there. */
export interface Launched {
  readonly trainer: TrainerProcess;
  readonly record: TrainerRecord;
  readonly figures: AttemptFigures;
  /** A checkpoint of this host that the store lacks, moved to `resume`; to be offered once the trainer has read it. */
  readonly unsaved: UnsavedCheckpoint | null;
}

/** Null when nothing is to be trained: a pause or a stop is wanted, and no trainer runs here. */
export async function launch(attempt: Attempt): Promise<Launched | null> {
  const { request, host, home } = attempt;
  const earlier = await findEarlierTrainer(home, request, host);
  if (earlier.kind === 'adoptable') return await adopt(attempt, earlier);

  const damaged = (await readRecord(home))?.damaged ?? [];
  const unsaved = unlessStored(earlier.checkpoint, request, damaged);
  const record = await takeHome(attempt, { exportOnly: false, unsaved });
  if (unsaved !== null && unsaved.dir !== home.resumeDir) {
    await rm(home.resumeDir, { recursive: true, force: true });
    await rename(unsaved.dir, home.resumeDir);
  }
  await clearHome(home, { resume: unsaved !== null });
  if (host.control().wanted === 'train') return await resume(attempt, record, unsaved);
  if (unsaved !== null) offerUnsaved(attempt, unsaved);
  await drainUploads(attempt);
  return null;
}

/** The checkpoints that count as stored. */
export function soundCheckpoints(
  checkpoints: readonly CheckpointEntry[],
  damaged: TrainerRecord['damaged'],
): CheckpointEntry[] {
  return checkpoints.filter(
    (entry) => !damaged.some(({ step, epoch }) => step === entry.step && epoch === entry.epoch),
  );
}

function unlessStored(
  checkpoint: UnsavedCheckpoint | null,
  { checkpoints }: TrainingRequest,
  damaged: TrainerRecord['damaged'],
): UnsavedCheckpoint | null {
  const newest = soundCheckpoints(checkpoints, damaged).at(-1)?.step ?? 0;
  return checkpoint !== null && checkpoint.step > newest ? checkpoint : null;
}

/** From `resume`, where the checkpoint was moved. */
export function offerUnsaved({ uploads, home }: Attempt, { step, evalLoss, final }: UnsavedCheckpoint): void {
  uploads.offer({ step, dir: home.resumeDir, evalLoss, final });
}

async function adopt(
  { request, host, home, startedMs }: Attempt,
  { trainer, record: earlier, reachedStep, unsaved }: Extract<EarlierTrainer, { kind: 'adoptable' }>,
): Promise<Launched> {
  const record = { ...earlier, epoch: request.epoch };
  await writeUnlessOvertaken(home, record);
  await touchLease(home);
  const figures: AttemptFigures = {
    resumedFromStep: reachedStep,
    adopted: true,
    damaged: [],
    attemptStartedMs: startedMs,
    dataSeconds: null,
    spawnedMs: null,
    importSeconds: null,
    loadSeconds: null,
    firstStepMs: null,
  };
  host.onNote(`adopted the trainer that runs here since ${earlier.startedAt}, at step ${reachedStep}`);
  try {
    await host.onResume(figures);
  } catch (error) {
    throw new Detached(error); // the store is gone: no reason to end what trains
  }
  return { trainer, record, figures, unsaved: unlessStored(unsaved, request, record.damaged) };
}

async function resume(
  attempt: Attempt,
  record: TrainerRecord,
  unsaved: UnsavedCheckpoint | null,
): Promise<Launched> {
  const { request, host, home } = attempt;
  const { trainings } = host.store;
  let resumedFromStep = unsaved?.step ?? 0;
  let skipped: readonly SkippedCheckpoint[] = [];
  if (unsaved === null) {
    const newest = await trainings.newestVerified(request.fingerprint, home.resumeDir, host.signal);
    skipped = newest.skipped;
    resumedFromStep = newest.checkpoint?.step ?? 0;
    if (newest.checkpoint !== null) await requireRoom(home.dir, bytesOf(newest.checkpoint.files));
  }
  return { ...(await start(attempt, record, { resumedFromStep, skipped, exportOnly: false })), unsaved };
}

interface Beginning {
  readonly resumedFromStep: number;
  /** What the store lists beyond it, and did not give whole. */
  readonly skipped: readonly SkippedCheckpoint[];
  readonly exportOnly: boolean;
}

/**
 * Writes the training files and starts the trainer on them, from what lies in `resume`; `onResume` is told before.
 * Another attempt may take the home meanwhile: then this one ends without having touched anything of it.
 */
export async function start(
  attempt: Attempt,
  taken: TrainerRecord,
  { resumedFromStep, skipped, exportOnly }: Beginning,
): Promise<Launched> {
  const { request, host, home, startedMs } = attempt;
  await mkdir(dirname(home.trainFile), { recursive: true });
  const files = await writeTrainingFiles(host.store, request.traces, request.settings, home);
  const guardFile = request.settings.guard === null ? null : await host.guardRows();
  const figures: AttemptFigures = {
    resumedFromStep,
    adopted: false,
    damaged: skipped.map(({ step, problem }) => ({ step, problem })),
    attemptStartedMs: startedMs,
    dataSeconds: (Date.now() - startedMs) / 1000,
    spawnedMs: null,
    importSeconds: null,
    loadSeconds: null,
    firstStepMs: null,
  };
  if (!exportOnly) await host.onResume(figures);
  const config = trainerConfig(
    request,
    {
      trainFile: home.trainFile,
      evalFile: files.evalRows > 0 ? home.evalFile : null,
      guardFile,
      outputDir: home.outputDir,
      resumeFrom: resumedFromStep > 0 ? home.resumeDir : null,
      leaseFile: home.leaseFile,
    },
    exportOnly,
  );
  await writeFile(home.configFile, JSON.stringify(config));
  await touchLease(home);
  host.signal.throwIfAborted();
  if (!(await isHeldBy(home, request.epoch))) throw new Detached(overtaken());
  const trainer = await startTrainer({
    pythonPath: host.pythonPath,
    configFile: home.configFile,
    cwd: home.dir,
    env: { ...host.pythonEnv, ...deviceEnvironment(host.gpu) },
    eventsFile: home.eventsFile,
    logFile: home.logFile,
  });
  const running: TrainerRecord = {
    ...taken,
    owner: trainer.owner,
    startedAt: new Date().toISOString(),
    files,
    resumedFromStep,
    damaged: [...taken.damaged, ...skipped.map(({ step, epoch }) => ({ step, epoch }))],
  };
  try {
    if (!(await isHeldBy(home, request.epoch))) throw new Detached(overtaken());
    await writeRecord(home, running);
  } catch (error) {
    await trainer.kill();
    throw error;
  }
  return { trainer, record: running, figures: { ...figures, spawnedMs: Date.now() }, unsaved: null };
}

/**
 * From here on this attempt alone may signal what runs in the home; what does is ended. The record names what is
 * unsaved before anything is moved or removed, so that an attempt that dies here loses nothing.
 */
export async function takeHome(
  { request, host, home }: Attempt,
  { exportOnly, unsaved }: { readonly exportOnly: boolean; readonly unsaved: UnsavedCheckpoint | null },
): Promise<TrainerRecord> {
  const previous = await readRecord(home);
  const record: TrainerRecord = {
    owner: null,
    fingerprint: request.fingerprint,
    epoch: request.epoch,
    configSha256: configSha256(request, exportOnly),
    startedAt: new Date().toISOString(),
    gpu: host.gpu?.index ?? null,
    files: { trainRows: 0, evalRows: 0 },
    resumedFromStep: 0,
    unsaved,
    damaged: previous?.damaged ?? [],
  };
  await writeUnlessOvertaken(home, record);
  await endTrainers(home.configFile, previous?.owner ?? null);
  return record;
}

/** Throws Detached where a later attempt has the home already. */
export async function writeUnlessOvertaken(home: TrainingHome, record: TrainerRecord): Promise<void> {
  const current = await readRecord(home);
  if (current !== null && current.epoch > record.epoch) throw new Detached(overtaken());
  await writeRecord(home, record);
}

function bytesOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function overtaken(): SecpiError {
  return new SecpiError('HEAD_FENCED', 'a later attempt attends this training on this host.');
}
