/** Where a dataset's bytes come from: a file or a folder, of the worker's disk or of the store. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Dataset } from '../../contract/recipe.ts';
import { parseS3Uri } from '../store/keys.ts';
import type { ObjectStore } from '../store/objectStore.ts';
import { CARD_NAME, chooseFiles, formatOfName, type DataFormat } from './folder.ts';
import { localFile, localFiles, storedFile, storedFiles, type SourceFile } from './sourceFiles.ts';
import { empty, notFound, unreadable } from './unreadable.ts';

export interface DatasetSource {
  readonly format: DataFormat;
  /** In the order in which they are read. */
  readonly files: readonly SourceFile[];
  readonly bytes: number;
  /** What the folder's card says; null where it says nothing. */
  readonly license: string | null;
}

/** A dataset card is some KB; what is larger is none. */
const MAX_CARD_BYTES = 4 * 2 ** 20;

/** Throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_UNREADABLE. */
export async function openSource(
  dataset: Pick<Dataset, 'uri' | 'format'>,
  store: ObjectStore,
  baseDir: string,
): Promise<DatasetSource> {
  const { uri, format } = dataset;
  return uri.startsWith('s3://')
    ? await openStored(uri, format, store)
    : await openLocal(resolve(baseDir, uri.replace(/^file:(?:\/\/)?/u, '')), format);
}

async function openStored(
  uri: string,
  format: DataFormat | undefined,
  store: ObjectStore,
): Promise<DatasetSource> {
  const location = parseS3Uri(uri);
  if (location === null) throw notFound(`"${uri}" does not name an object.`);
  const bucket = store.inBucket(location.bucket);
  const { key } = location;
  const file = key === '' || key.endsWith('/') ? null : await storedFile(bucket, key);
  if (file !== null) return sourceOfFile(file, uri, format);
  const files = await storedFiles(bucket, key === '' || key.endsWith('/') ? key : `${key}/`);
  if (files.length === 0) throw notFound(`there is no object at ${uri}, and none under it.`);
  return await sourceOfFolder(files, uri, format);
}

async function openLocal(path: string, format: DataFormat | undefined): Promise<DatasetSource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw notFound(`the data worker cannot read ${path}.`, cause);
  });
  if (stats.isDirectory()) return await sourceOfFolder(await localFiles(path), path, format);
  if (!stats.isFile()) throw notFound(`${path} is neither a file nor a folder.`);
  return sourceOfFile(await localFile(path), path, format);
}

function sourceOfFile(file: SourceFile, where: string, format: DataFormat | undefined): DatasetSource {
  if (file.bytes === 0) throw empty(`${where} has no bytes.`);
  const known = format ?? formatOfName(file.name);
  if (known !== null) return { format: known, files: [file], bytes: file.bytes, license: null };
  throw unreadable(`the name of ${where} does not tell the format.`, {
    field: 'dataset.format',
    remedy: 'Set dataset.format to "jsonl", "json" or "parquet".',
  });
}

async function sourceOfFolder(
  all: readonly SourceFile[],
  where: string,
  given: DataFormat | undefined,
): Promise<DatasetSource> {
  const byName = new Map(all.map((file) => [file.name, file]));
  const card = await readCardOf(byName.get(CARD_NAME));
  const { format, names, license } = chooseFiles([...byName.keys()], { card, format: given, where });
  const files = names.flatMap((name) => byName.get(name) ?? []);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes === 0) throw empty(`the files of ${where} have no bytes.`);
  return { format, files, bytes, license };
}

async function readCardOf(file: SourceFile | undefined): Promise<string | null> {
  if (file === undefined || file.bytes === 0) return null;
  if (file.bytes > MAX_CARD_BYTES)
    throw unreadable(`README.md has ${file.bytes} bytes: this is no dataset card.`);
  return Buffer.from(await file.read(0, file.bytes)).toString('utf8');
}

/**
 * SHA-256 of a lone file's bytes, whatever its name; of several files, of their names and hashes in order. Streamed;
 * compressed files are hashed as they are.
 */
export async function hashSource(
  { files }: DatasetSource,
  { signal, progress }: { signal?: AbortSignal; progress?: (note: string) => void } = {},
): Promise<string> {
  const hashes: string[] = [];
  for (const [index, file] of files.entries()) {
    progress?.(`hashes ${file.name}, file ${index + 1} of ${files.length}`);
    const hash = createHash('sha256');
    for await (const chunk of await file.open()) {
      signal?.throwIfAborted();
      hash.update(chunk as Buffer);
    }
    hashes.push(hash.digest('hex'));
  }
  const [only] = hashes;
  if (only !== undefined && hashes.length === 1) return only;
  const whole = createHash('sha256');
  for (const [index, file] of files.entries())
    whole.update(`${JSON.stringify(file.name)} ${hashes[index]}\n`);
  return whole.digest('hex');
}

/** True while all files are the ones that were opened: what is read is what was hashed. */
export function isSameSource(left: DatasetSource, right: DatasetSource): boolean {
  const versions = ({ files }: DatasetSource): string[] =>
    files.map(({ name, version }) => `${name} ${version}`);
  return JSON.stringify(versions(left)) === JSON.stringify(versions(right));
}
