/** Parquet → raw records: only the columns that are needed, a slice of rows at a time, by ranges of the file. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup } from 'hyparquet';
import { compressors as portable } from 'hyparquet-compressors';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import type { Dataset } from '../../contract/recipe.ts';
import { WELL_KNOWN_FIELDS } from './normalise.ts';
import type { RawRecord } from './readRecords.ts';
import type { SourceFile } from './sourceFiles.ts';
import { unreadable } from './unreadable.ts';

/** Decoded at once: bounds memory, and the time for which the event loop is held. */
const SLICE_BYTES = 2 * 2 ** 20;
/** Compressed columns of a row group, held while its slices are decoded; and nested ones, decoded whole. */
const MAX_GROUP_BYTES = 128 * 2 ** 20;

/** Node's own decompressors are several times as fast as portable ones; a page never unpacks to more than it says. */
const compressors: typeof portable = {
  ...portable,
  GZIP: (input, bytes) => gunzipSync(input, { maxOutputLength: Math.max(1, bytes) }),
  ZSTD: (input, bytes) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, bytes) }),
  BROTLI: (input, bytes) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, bytes) }),
};

/** DATASET_UNREADABLE where the file is no Parquet, is cut, or lacks a column. */
export async function* readParquet(file: SourceFile, fields: Dataset['fields']): AsyncGenerator<RawRecord> {
  const window = createWindow(file);
  const metadata = await explained(file, () => parquetMetadataAsync(window.buffer));
  const columns = chooseColumns(metadata, fields, file.name);
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const plan = planGroup(group, columns, file.name);
    window.forget();
    window.keeps = !plan.isIndexed;
    for (let from = 0; from < rows; from += plan.sliceRows) {
      const range = {
        rowStart: groupStart + from,
        rowEnd: groupStart + Math.min(rows, from + plan.sliceRows),
      };
      const options = { file: window.buffer, metadata, columns, compressors, useOffsetIndex: plan.isIndexed };
      const values = await explained(file, () => parquetReadObjects({ ...options, ...range }));
      for (const value of values) yield { kind: 'value', value };
    }
    groupStart += rows;
  }
}

interface GroupPlan {
  readonly sliceRows: number;
  /** The file says where its pages lie, so a slice needs no other bytes than its own. */
  readonly isIndexed: boolean;
}

function planGroup(group: RowGroup, columns: readonly string[], name: string): GroupPlan {
  const needed = group.columns.filter(({ meta_data: meta }) =>
    columns.includes(meta?.path_in_schema[0] ?? ''),
  );
  const sum = (bytes: (meta: ColumnMetaData) => bigint): number =>
    needed.reduce((total, { meta_data: meta }) => total + (meta === undefined ? 0 : Number(bytes(meta))), 0);
  const isIndexed = needed.every(({ offset_index_offset: offset }) => offset !== undefined);
  const isNested = needed.some(({ meta_data: meta }) => (meta?.path_in_schema.length ?? 1) > 1);
  const unpacked = sum((meta) => meta.total_uncompressed_size);
  const held = isIndexed ? 0 : isNested ? unpacked : sum((meta) => meta.total_compressed_size);
  if (held > MAX_GROUP_BYTES) {
    throw unreadable(`a row group of ${name} has ${held} bytes in the columns that are read.`, {
      remedy: 'Write the file with a page index, or with smaller row groups (a few thousand rows).',
    });
  }
  const rows = Math.max(1, Number(group.num_rows));
  const fitting = Math.max(1, Math.floor((rows * SLICE_BYTES) / Math.max(1, unpacked)));
  // Without an index, every slice of a nested column would decode the column from its beginning.
  return { sliceRows: isNested && !isIndexed ? rows : Math.min(rows, fitting), isIndexed };
}

/** The columns that may hold what is asked for. A column that the recipe names and the file lacks is refused. */
function chooseColumns(metadata: FileMetaData, fields: Dataset['fields'], name: string): string[] {
  const present = parquetSchema(metadata).children.map(({ element }) => element.name);
  const columns = new Set<string>();
  const { task, conversation, ...others } = WELL_KNOWN_FIELDS;
  const known = { ...others, task: [...task, ...conversation] };
  for (const field of ['task', 'context', 'id', 'language', 'tests'] as const) {
    const chosen = fields[field];
    const candidates = chosen === undefined ? known[field] : [rootOf(chosen, present)];
    const found = candidates.filter((candidate) => present.includes(candidate));
    if (found.length === 0 && (chosen !== undefined || field === 'task')) {
      const asked = chosen === undefined ? 'a task' : `"${chosen}"`;
      throw unreadable(`${name} has no column for ${asked}; it has ${present.join(', ')}.`, {
        field: `dataset.fields.${field}`,
        remedy: 'Name one of these columns.',
      });
    }
    for (const column of found) columns.add(column);
  }
  return [...columns];
}

function rootOf(path: string, present: readonly string[]): string {
  return present.includes(path) ? path : (path.split('.')[0] ?? path);
}

interface Window {
  readonly buffer: AsyncBuffer;
  /** Ranges asked for again are read once, until they are forgotten. */
  keeps: boolean;
  forget(): void;
}

function createWindow(file: SourceFile): Window {
  const kept = new Map<string, Promise<ArrayBuffer>>();
  const window = {
    keeps: false,
    forget: () => kept.clear(),
    buffer: {
      byteLength: file.bytes,
      slice(start: number, end = file.bytes): Promise<ArrayBuffer> {
        const name = `${start}-${end}`;
        const read = kept.get(name) ?? file.read(start, end).then(({ buffer }) => buffer);
        if (window.keeps) kept.set(name, read);
        return read;
      },
    },
  };
  return window;
}

async function explained<T>(file: SourceFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SecpiError) throw cause;
    throw unreadable(`${file.name} is not a whole Parquet file: ${messageOf(cause)}.`, {
      cause,
      remedy: 'Copy the file again: it is cut or damaged.',
    });
  }
}
