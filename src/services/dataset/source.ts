/** Where a dataset's bytes come from: a file of the worker's disk or an object of the store. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { SecpiError } from '../../contract/errors.ts';
import type { Dataset } from '../../contract/recipe.ts';
import { parseS3Uri } from '../store/keys.ts';
import type { ObjectStore } from '../store/objectStore.ts';

export interface DatasetSource {
  readonly format: 'jsonl' | 'json' | 'parquet';
  readonly bytes: number;
  open(): Promise<Readable>;
}

/** Throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_UNREADABLE. */
export async function openSource(
  dataset: Dataset,
  store: ObjectStore,
  baseDir: string,
): Promise<DatasetSource> {
  return dataset.uri.startsWith('s3://')
    ? await openObject(dataset, store)
    : await openFile(dataset, baseDir);
}

async function openObject(dataset: Dataset, store: ObjectStore): Promise<DatasetSource> {
  const location = parseS3Uri(dataset.uri);
  if (location === null || location.key === '') {
    throw new SecpiError('DATASET_NOT_FOUND', `"${dataset.uri}" does not name an object.`, {
      field: 'dataset.uri',
    });
  }
  const { bucket, key } = location;
  const source = store.inBucket(bucket);
  const missing = (): SecpiError =>
    new SecpiError('DATASET_NOT_FOUND', `there is no object at ${dataset.uri}.`, { field: 'dataset.uri' });
  const head = await source.head(key);
  if (head === null) throw missing();
  return {
    format: formatOf(dataset, key),
    bytes: notEmpty(head.bytes, dataset.uri),
    open: async () => {
      const download = await source.openStream(key);
      if (download === null) throw missing();
      return download.stream;
    },
  };
}

async function openFile(dataset: Dataset, baseDir: string): Promise<DatasetSource> {
  const path = resolve(baseDir, dataset.uri.replace(/^file:(?:\/\/)?/, ''));
  const stats = await stat(path).catch((cause: unknown) => {
    throw new SecpiError('DATASET_NOT_FOUND', `the data worker cannot read ${path}.`, {
      field: 'dataset.uri',
      cause,
    });
  });
  if (!stats.isFile())
    throw new SecpiError('DATASET_NOT_FOUND', `${path} is not a file.`, { field: 'dataset.uri' });
  return {
    format: formatOf(dataset, path),
    bytes: notEmpty(stats.size, dataset.uri),
    open: async () => createReadStream(path),
  };
}

function formatOf(dataset: Dataset, name: string): DatasetSource['format'] {
  if (dataset.format !== undefined) return dataset.format;
  const ending = extname(name).toLowerCase();
  if (ending === '.jsonl' || ending === '.ndjson') return 'jsonl';
  if (ending === '.json') return 'json';
  throw new SecpiError(
    'DATASET_UNREADABLE',
    `the ending "${ending}" of "${dataset.uri}" does not tell the format.`,
    {
      field: 'dataset.format',
      remedy: 'Set dataset.format to "jsonl" or "json".',
    },
  );
}

function notEmpty(bytes: number, uri: string): number {
  if (bytes === 0) throw new SecpiError('DATASET_EMPTY', `${uri} has no bytes.`, { field: 'dataset.uri' });
  return bytes;
}

/** SHA-256 of the source's bytes, streamed. */
export async function hashSource(source: DatasetSource): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await source.open()) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
