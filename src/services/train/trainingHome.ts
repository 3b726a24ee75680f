/**
 * The folder of a training on this host. It outlives attempts and worker processes, so that the next attempt finds
 * the trainer that still runs; `trainer.json` says who that is and which attempt attends it.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ifPresent, thisBoot } from '../processOwner.ts';

const unsavedSchema = z.strictObject({
  step: z.int(),
  /** Where an earlier trainer wrote it; it is moved to `resume`, and offered once a trainer has read it there. */
  dir: z.string(),
  evalLoss: z.number().nullable(),
  final: z.boolean(),
  boot: z.string(),
});
export type UnsavedCheckpoint = z.infer<typeof unsavedSchema>;

const recordSchema = z.strictObject({
  /** The trainer as `formatOwner` writes it; null while its files are prepared. */
  owner: z.string().nullable(),
  fingerprint: z.string(),
  /** Of the attempt that attends it: only that one signals or ends the trainer. */
  epoch: z.int().positive(),
  configSha256: z.string(),
  startedAt: z.iso.datetime(),
  /** Index; null on a CPU. */
  gpu: z.int().nullable(),
  files: z.strictObject({ trainRows: z.int(), evalRows: z.int() }),
  resumedFromStep: z.int().nonnegative(),
  /** A checkpoint that this disk had and the store had not when the home was taken. */
  unsaved: unsavedSchema.nullable(),
  /** Checkpoints that the store lists and that did not read back: for this host they do not count as stored. */
  damaged: z.array(z.strictObject({ step: z.int(), epoch: z.int() })),
});
export type TrainerRecord = z.infer<typeof recordSchema>;

export interface TrainingHome {
  readonly dir: string;
  readonly configFile: string;
  readonly leaseFile: string;
  /** The trainer's standard output and error. */
  readonly eventsFile: string;
  readonly logFile: string;
  readonly trainFile: string;
  readonly evalFile: string;
  readonly resumeDir: string;
  readonly outputDir: string;
}

const HOME_NAME = /^[0-9a-f]{16}$/;
const REMOVED = '.removed-';

export function trainingHome(trainingsDir: string, fingerprint: string): TrainingHome {
  return homeAt(join(trainingsDir, fingerprint.slice(0, 16)));
}

function homeAt(dir: string): TrainingHome {
  return {
    dir,
    configFile: join(dir, 'config.json'),
    leaseFile: join(dir, 'lease'),
    eventsFile: join(dir, 'events.jsonl'),
    logFile: join(dir, 'stderr.log'),
    trainFile: join(dir, 'data', 'train.jsonl'),
    evalFile: join(dir, 'data', 'eval.jsonl'),
    resumeDir: join(dir, 'resume'),
    outputDir: join(dir, 'out'),
  };
}

const recordFile = ({ dir }: TrainingHome): string => join(dir, 'trainer.json');

/** Null where there is none, or none that can be read: its writer was cut off by the machine's end. */
export async function readRecord(home: TrainingHome): Promise<TrainerRecord | null> {
  const text = await ifPresent(readFile(recordFile(home), 'utf8'));
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/** The file is whole at every moment: it is written beside, then renamed. */
export async function writeRecord(home: TrainingHome, record: TrainerRecord): Promise<void> {
  await mkdir(home.dir, { recursive: true });
  const partial = `${recordFile(home)}.${randomUUID()}`;
  const file = await open(partial, 'wx');
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, recordFile(home));
}

/** Whether the attempt of this epoch attends the training here; a later one takes it by writing its own. */
export async function isHeldBy(home: TrainingHome, epoch: number): Promise<boolean> {
  return (await readRecord(home))?.epoch === epoch;
}

export async function touchLease({ leaseFile }: TrainingHome): Promise<void> {
  const now = new Date();
  if ((await ifPresent(utimes(leaseFile, now, now).then(() => true))) === null)
    await writeFile(leaseFile, '');
}

/** Removes all but `trainer.json`, and `resume` where it is kept. */
export async function clearHome(home: TrainingHome, keep: { readonly resume: boolean }): Promise<void> {
  const kept = new Set(
    [recordFile(home), ...(keep.resume ? [home.resumeDir] : [])].map((path) => basename(path)),
  );
  for (const name of await readdir(home.dir)) {
    if (!kept.has(name)) await rm(join(home.dir, name), { recursive: true, force: true });
  }
}

/** It is renamed first, so that nobody who takes the training up now finds half of it. */
export async function removeHome(home: TrainingHome): Promise<void> {
  const removed = `${home.dir}${REMOVED}${randomUUID()}`;
  if ((await ifPresent(rename(home.dir, removed).then(() => true))) === null) return;
  await rm(removed, { recursive: true, force: true });
}

/** All homes of this host; what a removal left half-way is removed. */
export async function listHomes(trainingsDir: string): Promise<TrainingHome[]> {
  const names = (await ifPresent(readdir(trainingsDir))) ?? [];
  for (const name of names.filter((each) => each.includes(REMOVED)))
    await rm(join(trainingsDir, name), { recursive: true, force: true });
  return names.filter((name) => HOME_NAME.test(name)).map((name) => homeAt(join(trainingsDir, name)));
}

/**
 * The unsaved checkpoint that the record names, with where it lies now; null when it is gone, as it is once the store
 * has it. It was not synced, so it counts only for as long as the machine runs.
 */
export async function unsavedIn(
  home: TrainingHome,
  { unsaved }: TrainerRecord,
): Promise<UnsavedCheckpoint | null> {
  if (unsaved?.boot !== thisBoot()) return null;
  // An older `resume` is removed before this one is moved there.
  for (const dir of [unsaved.dir, home.resumeDir]) if (await isFolder(dir)) return { ...unsaved, dir };
  return null;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await ifPresent(stat(path)))?.isDirectory() === true;
}
