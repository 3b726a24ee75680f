/**
 * Dataset → task rows, in two steps. First the source is read once: what cannot be read is set aside with its reason,
 * exact duplicates and what an evaluation set holds are left out, the rest waits in a scratch file. Then near-duplicates
 * are known, and the rows come out in the order of the source.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Dataset } from '../../contract/recipe.ts';
import type { DeadLetter, ExcludedRow, TaskRow } from '../../contract/rows.ts';
import { canonicalLanguage } from '../language/names.ts';
import { createBreath, type Breath } from './breath.ts';
import { createHashSet, type HashSet } from './hashSet.ts';
import { findNearDuplicates, planPasses, type NearDuplicates } from './nearDuplicates/findNearDuplicates.ts';
import { createMinHasher } from './nearDuplicates/minHash.ts';
import { createSignatureFile } from './nearDuplicates/signatureFile.ts';
import { excerptOf } from './fields.ts';
import { normaliseRecord, type NormalisedTask } from './normalise.ts';
import { readRecords } from './readRecords.ts';
import { openScratch } from './scratch.ts';
import type { DatasetSource } from './source.ts';
import { createSpool, type Spool } from './spool.ts';

/** Raised by hand when the rows that come out of the same source change. */
export const DATASET_CODE_VERSION = 2;

const PROGRESS_ROWS = 5000;

/** in = rows + duplicates + nearDuplicates + contaminated + bad, once all is read. */
export interface ImportCounts {
  in: number;
  rows: number;
  duplicates: number;
  nearDuplicates: number;
  contaminated: number;
  bad: number;
}

export const noCounts = (): ImportCounts => ({
  in: 0,
  rows: 0,
  duplicates: 0,
  nearDuplicates: 0,
  contaminated: 0,
  bad: 0,
});

export type ImportedRow =
  | { readonly kind: 'task'; readonly row: TaskRow }
  | { readonly kind: 'excluded'; readonly row: ExcludedRow }
  | { readonly kind: 'bad'; readonly row: DeadLetter };

export interface ImportOptions {
  /** Scratch files lie in a folder of their own in it, and go at the end: 320 bytes a row, and the rows compressed. */
  readonly scratchDir: string;
  /** Tells how a text resembles one of an evaluation set; null where it resembles none. */
  readonly contamination?: (text: string) => { readonly how: string } | null;
  /** Asked where the source does not say. */
  readonly detectLanguage?: (task: string) => string | null;
  /** Told what is being done, every few thousand rows. */
  readonly progress?: (note: string) => void;
  readonly signal?: AbortSignal;
}

type Settings = Pick<Dataset, 'fields' | 'maxTaskCharacters' | 'limitRows' | 'nearDuplicates'>;

/** A row on its way, with its position in the source. */
interface WaitingRow extends Omit<NormalisedTask, 'id'> {
  readonly position: number;
  readonly id: string;
}

/**
 * Yields each row once; task rows and near-duplicates in the order of the source, after all others. `counts` is filled
 * on the way. Memory: about 50 bytes a row. The event loop is not held for long.
 */
export async function* importRows(
  source: DatasetSource,
  settings: Settings,
  counts: ImportCounts,
  options: ImportOptions,
): AsyncGenerator<ImportedRow> {
  const { groupFrom } = settings.nearDuplicates;
  if (groupFrom >= 1) {
    yield* rowsAsTheyCome(source, settings, counts, options);
    return;
  }
  const scratch = await openScratch(options.scratchDir);
  const passes = planPasses(settings.nearDuplicates);
  const signatures = await createSignatureFile(
    scratch.dir,
    passes.map(({ banding }) => banding),
  );
  // Parsed from what this process wrote a moment ago.
  const waiting = createSpool(join(scratch.dir, 'rows.jsonl.zst'), (value) => value as WaitingRow);
  const breath = createBreath(options.signal);
  try {
    const hasher = createMinHasher();
    for await (const imported of soundRows(source, settings, counts, options, breath)) {
      if (imported.kind === 'waiting') {
        await waiting.append(imported.row);
        await signatures.append(hasher.sign(imported.row.task));
      } else yield imported;
    }
    await waiting.finish();
    await signatures.finish();
    const onBand = (done: number, all: number): void =>
      options.progress?.(`compares near-duplicates: ${done} of ${all} bands`);
    const found = await findNearDuplicates(signatures, passes, settings.nearDuplicates, breath, onBand);
    for await (const imported of keptRows(waiting, found, signatures.rows, counts, options)) {
      yield imported;
      if (breath.due()) await breath.take();
    }
  } finally {
    await waiting.close();
    await signatures.close();
    await scratch.remove();
  }
}

/** Nothing is compared but whole texts, so that every row is kept and a group of its own. */
async function* rowsAsTheyCome(
  source: DatasetSource,
  settings: Settings,
  counts: ImportCounts,
  options: ImportOptions,
): AsyncGenerator<ImportedRow> {
  for await (const imported of soundRows(source, settings, counts, options, createBreath(options.signal))) {
    if (imported.kind === 'waiting') {
      const index = counts.rows;
      counts.rows += 1;
      yield taskOf(imported.row, index, index, options);
    } else yield imported;
  }
}

function taskOf(
  { position: _, language, ...row }: WaitingRow,
  index: number,
  group: number,
  { detectLanguage }: Pick<ImportOptions, 'detectLanguage'>,
): ImportedRow {
  const named = language === null ? (detectLanguage?.(row.task) ?? null) : canonicalLanguage(language);
  return { kind: 'task', row: { ...row, index, language: named, group } };
}

type SoundRow =
  | Exclude<ImportedRow, { kind: 'task' }>
  | { readonly kind: 'waiting'; readonly row: WaitingRow };

/** All that can be said of a row by itself, and exact duplicates. */
async function* soundRows(
  source: DatasetSource,
  settings: Settings,
  counts: ImportCounts,
  { contamination, progress }: ImportOptions,
  breath: Breath,
): AsyncGenerator<SoundRow> {
  const startedMs = performance.now();
  const seenTasks = createHashSet();
  const seenIds = createHashSet();
  for await (const record of readRecords(source, settings.fields)) {
    if (settings.limitRows !== undefined && counts.in >= settings.limitRows) return;
    if (breath.due()) await breath.take();
    const position = counts.in;
    counts.in += 1;
    if (counts.in % PROGRESS_ROWS === 0) progress?.(`read ${counts.in} rows, ${pace(counts.in, startedMs)}`);
    const normalised =
      record.kind === 'bad'
        ? { kind: 'bad' as const, id: null, reason: record.problem, excerpt: record.excerpt }
        : normaliseRecord(record.value, settings);
    if (normalised.kind === 'bad') {
      counts.bad += 1;
      const { id, reason, excerpt } = normalised;
      yield { kind: 'bad', row: { index: position, id, reason, excerpt } };
      continue;
    }
    const { row } = normalised;
    if (!seenTasks.add(row.taskSha256)) {
      counts.duplicates += 1;
      continue;
    }
    const id = uniqueId(row, seenIds);
    const found = contamination?.(row.task) ?? null;
    if (found === null) {
      yield { kind: 'waiting', row: { ...row, id, position } };
      continue;
    }
    counts.contaminated += 1;
    yield { kind: 'excluded', row: excluded({ ...row, id, position }, 'contaminated', found.how) };
  }
}

/** The groups and near-duplicates are known: rows get their index. */
async function* keptRows(
  waiting: Spool<WaitingRow>,
  found: NearDuplicates,
  rows: number,
  counts: ImportCounts,
  options: ImportOptions,
): AsyncGenerator<ImportedRow> {
  const { progress } = options;
  const startedMs = performance.now();
  // The index of a kept row, by its number among the waiting ones.
  const indexes = new Uint32Array(rows);
  let number = 0;
  for await (const row of waiting.read()) {
    const removed = found.removedFor(number);
    if (removed === null) {
      const index = counts.rows;
      indexes[number] = index;
      counts.rows += 1;
      yield taskOf(row, index, indexes[found.groupOf(number)] ?? index, options);
    } else {
      counts.nearDuplicates += 1;
      const detail = `${removed.similarity.toFixed(2)} like row ${indexes[removed.row]}`;
      yield { kind: 'excluded', row: excluded(row, 'nearDuplicate', detail) };
    }
    number += 1;
    if (number % PROGRESS_ROWS === 0)
      progress?.(`wrote ${number} of ${rows} rows, ${pace(number, startedMs)}`);
  }
}

function pace(rows: number, startedMs: number): string {
  return `${Math.round((1000 * rows) / Math.max(1, performance.now() - startedMs))} rows/s`;
}

function excluded(
  { position, id, task }: WaitingRow,
  reason: ExcludedRow['reason'],
  detail: string,
): ExcludedRow {
  return { index: position, id, reason, detail, excerpt: excerptOf(task) };
}

/** An id used twice for two different tasks must not merge them: the later one is told apart by its content. */
function uniqueId({ id, taskSha256 }: NormalisedTask, seen: HashSet): string {
  if (id === null) return taskSha256.slice(0, 16);
  return seen.add(hash('sha256', id)) ? id : `${id}#${taskSha256.slice(0, 8)}`;
}
