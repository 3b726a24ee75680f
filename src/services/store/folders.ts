/** Folders kept as blobs: checkpoints, models. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import type { BlobRef, FileRef } from '../../contract/refs.ts';
import { canonicalJson } from './canonicalJson.ts';
import { sha256Hex, sha256OfFile } from './hash.ts';
import { mapLimit } from './parallel.ts';

/** Told the size of a file that went over the network, not of one that was there already. */
export type OnUploaded = (bytes: number) => void;

interface FileBlobs {
  putFile(path: string, signal?: AbortSignal, onUploaded?: OnUploaded): Promise<BlobRef>;
  readToFile(ref: BlobRef, path: string, signal?: AbortSignal): Promise<void>;
}

/** Files of a folder in transfer at once; an upload holds up to 32 MiB in memory. */
const FILES_AT_ONCE = 3;

/**
 * A link to a file is followed, since model caches are made of such links; a link to a folder, a socket and the
 * like are refused with RECIPE_INVALID.
 */
export async function putFolder(
  blobs: FileBlobs,
  dir: string,
  signal?: AbortSignal,
  onUploaded?: OnUploaded,
): Promise<FileRef[]> {
  const paths = await filesUnder(dir);
  return mapLimit(paths, FILES_AT_ONCE, async (path) => ({
    ...(await blobs.putFile(join(dir, path), signal, onUploaded)),
    path,
  }));
}

/**
 * Downloads into a folder beside `dir`, then renames. A `dir` that holds exactly these files already is left as it
 * is; any other that is not empty is refused, never overwritten. BLOB_MISSING, BLOB_CORRUPT.
 */
export async function readFolder(
  blobs: FileBlobs,
  files: readonly FileRef[],
  dir: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const file of files) refuseUnsafePath(file.path);
  if (await isPresent(files, dir)) return;
  const partial = `${dir}.${randomUUID()}.partial`;
  try {
    await mkdir(partial, { recursive: true });
    await mapLimit(files, FILES_AT_ONCE, (file) => blobs.readToFile(file, join(partial, file.path), signal));
    await mkdir(dirname(dir), { recursive: true });
    // Replaces an empty folder, and only an empty one.
    await rename(partial, dir);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Equal files under equal paths, equal hash; the order in which they are given does not matter. */
export function contentHashOfFiles(files: readonly FileRef[]): string {
  const entries = files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
  return sha256Hex(canonicalJson(entries.sort((a, b) => (a.path < b.path ? -1 : 1))));
}

async function filesUnder(dir: string): Promise<string[]> {
  const paths: string[] = [];
  const visit = async (relative: string): Promise<void> => {
    for (const entry of await readdir(join(dir, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await stat(join(dir, path))).isFile()))
        paths.push(path);
      else {
        throw new SecpiError('RECIPE_INVALID', `${join(dir, path)} is neither a file nor a folder.`, {
          remedy: 'Give a folder of regular files (links to files are followed, links to folders are not).',
        });
      }
    }
  };
  await visit('');
  return paths.sort((a, b) => (a < b ? -1 : 1));
}

function refuseUnsafePath(path: string): void {
  const segments = path.split('/');
  if (
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..') &&
    !path.includes('\0')
  )
    return;
  throw new SecpiError('BLOB_CORRUPT', `The path ${JSON.stringify(path)} leads out of its folder.`, {
    remedy: 'Do not use this artefact: its manifest was not written by this project.',
  });
}

async function isPresent(files: readonly FileRef[], dir: string): Promise<boolean> {
  const exists = await stat(dir).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (!exists || (await readdir(dir)).length === 0) return false;
  const found = await filesUnder(dir);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const same = await mapLimit(
    found,
    1,
    async (path) => (await sha256OfFile(join(dir, path))).sha256 === byPath.get(path)?.sha256,
  );
  if (found.length === byPath.size && same.every(Boolean)) return true;
  throw new SecpiError('INTERNAL', `${dir} holds other files already; nothing is overwritten.`, {
    remedy: 'Remove the folder, or name an empty one.',
  });
}
