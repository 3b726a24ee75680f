/** Replies on disk in CWEval's layout: DIR/generated_<i>/<folders of the task>/<task>_raw.<ending>. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { messageOf, SecpiError } from '../../contract/errors.ts';

export interface StoredSample {
  readonly taskId: string;
  /** Counts from 0 within the task: the number of its `generated_` folder. */
  readonly index: number;
  readonly reply: string;
  /** Relative to the folder. */
  readonly file: string;
}

export interface SamplesFolder {
  /** Sorted by index, then by task. */
  readonly samples: readonly StoredSample[];
  /** One above the highest index. */
  readonly samplesPerTask: number;
}

const GENERATED = /^generated_(0|[1-9]\d{0,5})$/;
const RAW = /^(.+)_raw\.([A-Za-z0-9]+)$/;

/**
 * Reads every reply; other files (an evaluation that upstream left there) are passed over.
 * `taskIds` null: any name is taken.
 * @throws SecpiError SAMPLES_INVALID where the folder holds no sample, or one of a task that does not exist.
 */
export async function readSamples(
  dir: string,
  taskIds: ReadonlySet<string> | null = null,
): Promise<SamplesFolder> {
  const samples: StoredSample[] = [];
  for (const { folder, index } of await generatedFolders(dir)) {
    for (const file of await rawFiles(join(dir, folder))) {
      const match = RAW.exec(file);
      if (match?.[1] === undefined) continue;
      const taskId = match[1];
      const inside = `${folder}/${file}`;
      if (taskIds !== null && !taskIds.has(taskId))
        throw invalid(`${inside} is a sample of "${taskId}", and there is no such task.`);
      samples.push({ taskId, index, reply: await readFile(join(dir, inside), 'utf8'), file: inside });
    }
  }
  if (samples.length === 0) throw invalid(`${dir} holds no sample.`);
  const names = new Set<string>();
  for (const { taskId, index, file } of samples) {
    const name = `${index} ${taskId}`;
    if (names.has(name)) throw invalid(`${file} is a second sample ${index} of ${taskId}.`);
    names.add(name);
  }
  samples.sort((a, b) => a.index - b.index || (a.taskId < b.taskId ? -1 : 1));
  return { samples, samplesPerTask: Math.max(...samples.map(({ index }) => index)) + 1 };
}

/** The `generated_<i>` folders of `dir`, by number. @throws SecpiError SAMPLES_INVALID where there is none. */
export async function generatedFolders(dir: string): Promise<{ folder: string; index: number }[]> {
  let names;
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error('not a folder');
    names = await readdir(dir);
  } catch (error) {
    throw invalid(`${dir} cannot be read: ${messageOf(error)}.`, error);
  }
  const folders = names.flatMap((folder) => {
    const number = GENERATED.exec(folder)?.[1];
    return number === undefined ? [] : [{ folder, index: Number(number) }];
  });
  if (folders.length === 0) throw invalid(`${dir} has no folder generated_0.`);
  return folders.sort((a, b) => a.index - b.index);
}

async function rawFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.includes('_raw.')) continue;
    files.push(relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  }
  return files.sort();
}

function invalid(problem: string, cause?: unknown): SecpiError {
  return new SecpiError('SAMPLES_INVALID', problem, { field: 'samples', cause });
}
