/** What an earlier attempt left in a training's home: a trainer to adopt, a checkpoint to start from, or nothing. */
import { SecpiError } from '../../contract/errors.ts';
import { tailEvents } from './eventTail.ts';
import { configSha256 } from './trainerConfig.ts';
import { attachTrainer, isOfThisBoot, type TrainerProcess } from './trainerProcess.ts';
import type { TrainerEvent } from './trainerProtocol.ts';
import type { TrainingHost, TrainingRequest } from './training.ts';
import { thisBoot } from '../processOwner.ts';
import {
  isFolder,
  readRecord,
  trainingHome,
  unsavedIn,
  type TrainerRecord,
  type TrainingHome,
  type UnsavedCheckpoint,
} from './trainingHome.ts';

export type EarlierTrainer =
  /** It runs, or it came to an end that nobody has told yet. */
  | {
      readonly kind: 'adoptable';
      readonly trainer: TrainerProcess;
      readonly record: TrainerRecord;
      /** The last step it told of; the one it began from where it told none. */
      readonly reachedStep: number;
      /** What it began from, while that lies on this disk and it has told of no checkpoint of its own. */
      readonly unsaved: UnsavedCheckpoint | null;
    }
  | {
      readonly kind: 'over';
      /** The newest whole checkpoint of this disk, where the wanted training can go on from it. */
      readonly checkpoint: UnsavedCheckpoint | null;
    };

export async function findEarlierTrainer(
  home: TrainingHome,
  request: TrainingRequest,
  host: Pick<TrainingHost, 'gpu'>,
): Promise<EarlierTrainer> {
  const record = await readRecord(home);
  if (record === null) return { kind: 'over', checkpoint: null };
  const trainer = attachTrainer(record.owner);
  const isAlive = (await trainer?.isAlive()) === true;
  const isWanted =
    record.fingerprint === request.fingerprint && record.configSha256 === configSha256(request, false);
  const events = isWanted ? await readEvents(home) : null;
  if (events === null) return { kind: 'over', checkpoint: null };
  const unsaved = await unsavedIn(home, record);
  const isOnItsGpu = record.gpu === (host.gpu?.index ?? null);
  const isConcluded = events.some(({ event }) => event === 'finished' || event === 'error');
  const isThisBoot = await isOfThisBoot(record.owner);
  if (trainer !== null && (isAlive ? isOnItsGpu : isConcluded && isThisBoot)) {
    const last = events.findLast((event) => event.event === 'step');
    const hasSaved = events.some(({ event }) => event === 'checkpoint');
    return {
      kind: 'adoptable',
      trainer,
      record,
      reachedStep: last?.step ?? record.resumedFromStep,
      unsaved: hasSaved ? null : unsaved,
    };
  }
  return { kind: 'over', checkpoint: (isThisBoot ? await newestWhole(events) : null) ?? unsaved };
}

/** Null where another version of the trainer wrote what is not understood. */
async function readEvents(home: TrainingHome): Promise<TrainerEvent[] | null> {
  try {
    return await tailEvents(home.eventsFile).read();
  } catch (error) {
    if (error instanceof SecpiError) return null;
    throw error;
  }
}

/** A checkpoint gets its name when it is whole. It is not synced, so this holds for as long as the machine runs. */
async function newestWhole(events: readonly TrainerEvent[]): Promise<UnsavedCheckpoint | null> {
  for (const event of events.toReversed()) {
    if (event.event !== 'checkpoint' || !(await isFolder(event.dir))) continue;
    const { step, dir, evalLoss, final } = event;
    return { step, dir, evalLoss, final, boot: thisBoot() };
  }
  return null;
}

/** The trainer that runs in a training's home on this host, whoever attends it; null when none does. */
export async function liveTrainer(
  trainingsDir: string,
  fingerprint: string,
): Promise<{ readonly gpu: number | null } | null> {
  const record = await readRecord(trainingHome(trainingsDir, fingerprint));
  if (record === null || record.fingerprint !== fingerprint) return null;
  const isAlive = await attachTrainer(record.owner)?.isAlive();
  return isAlive === true ? { gpu: record.gpu } : null;
}
