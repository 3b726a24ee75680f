/** Dataset → task rows: read, normalised, exact duplicates out, what cannot be read set aside with its reason. */
import type { DeadLetter, TaskRow } from '../../contract/rows.ts';
import type { Dataset } from '../../contract/recipe.ts';
import { normaliseRecord } from './normalise.ts';
import { readRecords } from './readRecords.ts';
import type { DatasetSource } from './source.ts';

/** Raised by hand when the rows that come out of the same source change. */
export const DATASET_CODE_VERSION = 1;

export interface ImportCounts {
  in: number;
  rows: number;
  duplicates: number;
  bad: number;
}

export type ImportedRow =
  | { readonly kind: 'task'; readonly row: TaskRow }
  | { readonly kind: 'bad'; readonly row: DeadLetter };

/**
 * Yields each row once, in the order of the source. `counts` is filled while reading:
 * in = rows + duplicates + bad. Memory: 32 bytes of hash a distinct task.
 */
export async function* importRows(
  source: DatasetSource,
  dataset: Pick<Dataset, 'fields' | 'maxTaskCharacters' | 'limitRows'>,
  counts: ImportCounts,
): AsyncGenerator<ImportedRow> {
  const seenTasks = new Set<string>();
  const seenIds = new Set<string>();
  for await (const record of readRecords(source)) {
    if (dataset.limitRows !== undefined && counts.in >= dataset.limitRows) return;
    const position = counts.in;
    counts.in += 1;
    if (record.kind === 'bad') {
      counts.bad += 1;
      yield {
        kind: 'bad',
        row: { index: position, id: null, reason: record.problem, excerpt: record.excerpt },
      };
      continue;
    }
    const normalised = normaliseRecord(record.value, dataset);
    if (normalised.kind === 'bad') {
      counts.bad += 1;
      yield {
        kind: 'bad',
        row: { index: position, id: normalised.id, reason: normalised.reason, excerpt: normalised.excerpt },
      };
      continue;
    }
    const { row } = normalised;
    if (seenTasks.has(row.taskSha256)) {
      counts.duplicates += 1;
      continue;
    }
    seenTasks.add(row.taskSha256);
    // An id used twice for two different tasks must not merge them: the later one is told apart by its content.
    const id = seenIds.has(row.id) ? `${row.id}#${row.taskSha256.slice(0, 8)}` : row.id;
    seenIds.add(id);
    yield {
      kind: 'task',
      row: {
        index: counts.rows,
        id,
        task: row.task,
        language: row.language,
        taskSha256: row.taskSha256,
        group: counts.rows,
        tests: null,
      },
    };
    counts.rows += 1;
  }
}
