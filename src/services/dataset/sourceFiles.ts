/** Files of a dataset, wherever they lie: read as a stream, or by ranges. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ObjectStore } from '../store/objectStore.ts';
import { notFound, unreadable } from './unreadable.ts';

export interface SourceFile {
  /** Path within the folder; of a lone file its base name. */
  readonly name: string;
  readonly bytes: number;
  /** Changes when the content does: size and time of a file, ETag of an object. */
  readonly version: string;
  open(): Promise<Readable>;
  /** The bytes from `start` up to, not including, `end`. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** More files than that are no dataset, but a wrong path. */
const MAX_FILES = 20_000;

export async function localFile(path: string, name = basename(path)): Promise<SourceFile> {
  const { size, mtimeMs } = await stat(path);
  return {
    name,
    bytes: size,
    version: `${size}-${mtimeMs}`,
    open: async () => createReadStream(path),
    async read(start, end) {
      const file = await open(path);
      try {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        if (bytesRead < bytes.length) throw unreadable(`${path} ends at byte ${start + bytesRead}.`);
        return bytes;
      } finally {
        await file.close();
      }
    },
  };
}

/** All files under a folder by name; hidden ones, as caches and .git, are left out. Links to files are followed. */
export async function localFiles(dir: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await readdir(join(dir, relative), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(name);
      else if (entry.isFile() || (await stat(join(dir, name)).catch(() => null))?.isFile() === true)
        files.push(await localFile(join(dir, name), name));
      refuseMany(files.length, dir);
    }
  };
  await visit('');
  return files.sort(byName);
}

/** Null when there is no such object. */
export async function storedFile(store: ObjectStore, key: string): Promise<SourceFile | null> {
  const head = await store.head(key);
  return head === null ? null : objectFile(store, key, basename(key), head);
}

export async function storedFiles(store: ObjectStore, prefix: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { key, ...size } of store.list(prefix)) {
    const name = key.slice(prefix.length);
    if (name === '' || name.endsWith('/') || name.split('/').some((step) => step.startsWith('.'))) continue;
    files.push(objectFile(store, key, name, size));
    refuseMany(files.length, store.uriOf(prefix));
  }
  return files.sort(byName);
}

function objectFile(
  store: ObjectStore,
  key: string,
  name: string,
  { bytes, etag }: { readonly bytes: number; readonly etag: string },
): SourceFile {
  const gone = (): Error => notFound(`there is no object at ${store.uriOf(key)}.`);
  return {
    name,
    bytes,
    version: `${bytes}-${etag}`,
    async open() {
      const download = await store.openStream(key);
      if (download === null) throw gone();
      return download.stream;
    },
    async read(start, end) {
      if (start === end) return new Uint8Array(0);
      const range = await store.getRange(key, start, end - start);
      if (range === null) throw gone();
      if (range.length < end - start) throw unreadable(`${name} ends at byte ${start + range.length}.`);
      return new Uint8Array(range);
    },
  };
}

/** By code units: the same order on every machine. */
function byName(left: SourceFile, right: SourceFile): number {
  return left.name < right.name ? -1 : 1;
}

function refuseMany(count: number, where: string): void {
  if (count > MAX_FILES)
    throw unreadable(`${where} holds more than ${MAX_FILES} files.`, {
      remedy: 'Name the folder of one dataset.',
    });
}
