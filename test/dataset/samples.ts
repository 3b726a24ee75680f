/** The same rows in every format, and what an import makes of a dataset. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import { datasetSchema, type Dataset } from '../../src/contract/recipe.ts';
import type { DeadLetter, ExcludedRow, TaskRow } from '../../src/contract/rows.ts';
import {
  importRows,
  noCounts,
  type ImportCounts,
  type ImportOptions,
} from '../../src/services/dataset/importDataset.ts';
import { openSource, type DatasetSource } from '../../src/services/dataset/source.ts';
import type { ObjectStore } from '../../src/services/store/index.ts';

export interface Imported {
  readonly tasks: TaskRow[];
  readonly excluded: ExcludedRow[];
  readonly bad: DeadLetter[];
  readonly counts: ImportCounts;
  readonly source: DatasetSource;
}

export interface Workplace {
  readonly dir: string;
  /** Writes files under the folder, by path. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  import(
    settings: Partial<Omit<Dataset, 'uri'>> & { uri: string },
    store: ObjectStore,
    options?: Partial<ImportOptions>,
  ): Promise<Imported>;
  remove(): Promise<void>;
}

export async function makeWorkplace(): Promise<Workplace> {
  const dir = await mkdtemp(join(tmpdir(), 'secpi-dataset-'));
  return {
    dir,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(dir, name)), { recursive: true });
        await writeFile(join(dir, name), content);
      }
    },
    async import(settings, store, options = {}) {
      const dataset = datasetSchema.parse(settings);
      const source = await openSource(dataset, store, dir);
      const counts = noCounts();
      const imported: Imported = { tasks: [], excluded: [], bad: [], counts, source };
      for await (const { kind, row } of importRows(source, dataset, counts, {
        scratchDir: join(dir, 'scratch'),
        ...options,
      })) {
        if (kind === 'task') imported.tasks.push(row);
        else if (kind === 'excluded') imported.excluded.push(row);
        else imported.bad.push(row);
      }
      const { rows, duplicates, nearDuplicates, contaminated, bad } = counts;
      expect(counts.in).toBe(rows + duplicates + nearDuplicates + contaminated + bad);
      return imported;
    },
    remove: async () => await rm(dir, { recursive: true, force: true }),
  };
}

export interface SampleRow {
  readonly question_id: string;
  readonly question: string;
  readonly test: string | null;
  readonly difficulty: number;
}

/** Tasks that share no 5-gram, half of them with tests. */
export function sampleRows(count: number): SampleRow[] {
  return Array.from({ length: count }, (_, row) => ({
    question_id: `q-${row}`,
    question: Array.from({ length: 30 }, (_, at) => `word${(row * 7919 + at * at) % 9973}n${row}`).join(' '),
    test: row % 2 === 0 ? `def test_${row}():\n    assert solve(${row}) == ${row}\n` : null,
    difficulty: row % 5,
  }));
}

export const jsonLines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export interface ParquetOptions {
  readonly codec?: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'ZSTD';
  readonly rowGroupSize?: number;
  readonly pageSize?: number;
}

/** As bytes of a Parquet file. */
export function parquet(rows: readonly SampleRow[], options: ParquetOptions = {}): Uint8Array {
  const written = parquetWriteBuffer({
    columnData: [
      { name: 'question_id', data: rows.map((row) => row.question_id), type: 'STRING' },
      { name: 'question', data: rows.map((row) => row.question), type: 'STRING' },
      { name: 'test', data: rows.map((row) => row.test), type: 'STRING', nullable: true },
      { name: 'difficulty', data: rows.map((row) => row.difficulty), type: 'INT32' },
    ],
    compressors: { GZIP: (input) => gzipSync(input), ZSTD: (input) => zstdCompressSync(input) },
    ...options,
  });
  return new Uint8Array(written);
}

export async function refusal(work: Promise<unknown>): Promise<SecpiError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SecpiError) return error;
  throw new Error('was not refused with an error of the catalogue', { cause: error });
}
