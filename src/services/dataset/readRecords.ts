/** Cuts a source into raw records, one at a time; what cannot be read is a record with a problem, not a stop. */
import type { Dataset } from '../../contract/recipe.ts';
import { readJsonArray } from './readJsonArray.ts';
import { readJsonLines } from './readJsonLines.ts';
import { readParquet } from './readParquet.ts';
import type { DatasetSource } from './source.ts';

export type RawRecord =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly problem: string; readonly excerpt: string };

/** The fields tell which columns of Parquet are read. */
export async function* readRecords(
  { format, files }: DatasetSource,
  fields: Dataset['fields'],
): AsyncGenerator<RawRecord> {
  for (const file of files) {
    switch (format) {
      case 'jsonl':
        yield* readJsonLines(file);
        break;
      case 'json':
        yield* readJsonArray(file);
        break;
      case 'parquet':
        yield* readParquet(file, fields);
        break;
    }
  }
}
