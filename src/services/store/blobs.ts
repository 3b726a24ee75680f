/** Immutable files named by the SHA-256 of their bytes. Whatever is read is checked against its name. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SecpiError } from '../../contract/errors.ts';
import type { BlobRef, FileRef } from '../../contract/refs.ts';
import { putFolder, readFolder } from './folders.ts';
import type { OnUploaded } from './folders.ts';
import { outlast } from './gc/condemned.ts';
import { digestOfFile, sha256Hex, sha256OfStream } from './hash.ts';
import { blobKey } from './keys.ts';
import type { Download } from './download.ts';
import { mapLimit } from './parallel.ts';
import type { FoundObject, ObjectStore } from './objectStore.ts';

/** A blob is found by its hash alone: refs stay good when a bucket is copied to another name. */
export interface Blobs {
  /** Where parts are written before they are uploaded and after they are read. */
  readonly tempDir: string;
  putBytes(bytes: Uint8Array): Promise<BlobRef>;
  /** Hashes first; uploads only what the store does not have, or has had for long (see BLOB_REFRESH_AFTER_MS). */
  putFile(path: string, signal?: AbortSignal, onUploaded?: OnUploaded): Promise<BlobRef>;
  /** A small blob into memory. BLOB_MISSING, BLOB_CORRUPT. */
  readBytes(ref: BlobRef): Promise<Buffer>;
  /** The file appears whole and verified, or not at all. BLOB_MISSING, BLOB_CORRUPT. */
  readToFile(ref: BlobRef, path: string, signal?: AbortSignal): Promise<void>;
  /** Verified at its end: what was read before an error must not be kept. BLOB_MISSING, BLOB_CORRUPT. */
  openStream(ref: BlobRef, signal?: AbortSignal): Promise<Readable>;
  /** Is there, with the right size? Reads no bytes. BLOB_MISSING, BLOB_CORRUPT. */
  check(ref: BlobRef): Promise<FoundObject>;
  /**
   * As `check` of each, before an object is written that names them. STORE_UNAVAILABLE where one lay unnamed for so long
   * that the garbage collection took it or is about to: whoever wrote it writes it again.
   */
  requireYoung(refs: readonly BlobRef[]): Promise<void>;
  /**
   * As `check` of each, after an object was written that names them: what is there now stays. Waits for a garbage
   * collection that has one of them before it.
   */
  settle(refs: readonly BlobRef[]): Promise<void>;
  /** Reads the whole blob and compares its hash, keeping nothing. BLOB_MISSING, BLOB_CORRUPT. */
  verify(ref: BlobRef, signal?: AbortSignal): Promise<void>;
  /** Every regular file under the folder, sorted by path. Empty folders are not kept. */
  putFolder(dir: string, signal?: AbortSignal, onUploaded?: OnUploaded): Promise<FileRef[]>;
  /** The folder appears whole and verified, or not at all. */
  readFolder(files: readonly FileRef[], dir: string, signal?: AbortSignal): Promise<void>;
}

/**
 * A blob found in place of an upload is trusted after a look at its bytes up to this size, and after a look at its
 * size above: so a corrupt object is replaced by the next writer, and a large model is not downloaded to save an upload.
 */
const RECHECK_UP_TO_BYTES = 64 * 1024 * 1024;

/**
 * An older blob that is found in place of an upload is written once more: then nobody deletes it before it is named.
 * The garbage collection deletes nothing younger than three times this (by default, and at the least), so a writer has
 * 32 hours from here to its manifest. A third of two days: a night of work between two stages costs no upload.
 */
export const BLOB_REFRESH_AFTER_MS = 16 * 3_600_000;
/** Half of a writer's time is over. */
export const BLOB_OLD_AFTER_MS = 2 * BLOB_REFRESH_AFTER_MS;
const REQUESTS_AT_ONCE = 16;
/** Rounds of writing a blob that collections take again and again. */
const MAX_WRITES = 5;

export function createBlobs(store: ObjectStore, options: { readonly tempDir?: string } = {}): Blobs {
  const refOf = (sha256: string, bytes: number): BlobRef => ({
    uri: store.uriOf(blobKey(sha256)),
    sha256,
    bytes,
  });

  /** Blobs that this process found damaged: their size is not enough any more. */
  const damaged = new Set<string>();

  async function isWhole(ref: BlobRef, signal?: AbortSignal): Promise<boolean> {
    const sizeSuffices = ref.bytes > RECHECK_UP_TO_BYTES && !damaged.has(ref.sha256);
    try {
      await (sizeSuffices ? blobs.check(ref) : blobs.verify(ref, signal));
      return true;
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  async function replace(key: string, bytes: Uint8Array): Promise<void> {
    const present = await store.head(key);
    // A refused write means that another writer is at it at this moment: the check that follows decides.
    await (present === null ? store.putIfAbsent(key, bytes) : store.replaceIfMatch(key, bytes, present.etag));
  }

  /** Another writer may have made it young a moment ago, under the hands of a collection that saw it old. */
  async function lookAtFound(key: string, sha256: string, signal?: AbortSignal): Promise<FoundObject | null> {
    await outlast(store, [sha256], signal);
    return await store.look(key);
  }

  /** A collection may have looked at the old blob and be about to delete it: it is seen off, and the blob looked for. */
  async function writeOverOld(
    key: string,
    sha256: string,
    write: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let writes = 1; writes <= MAX_WRITES; writes += 1) {
      await write();
      const found = await lookAtFound(key, sha256, signal);
      if (found !== null && (found.ageMs ?? 0) <= BLOB_REFRESH_AFTER_MS) return;
    }
    throw new SecpiError(
      'STORE_UNAVAILABLE',
      `${store.uriOf(key)} went ${MAX_WRITES} times after it was written.`,
    );
  }

  const blobs: Blobs = {
    tempDir: options.tempDir ?? tmpdir(),

    async putBytes(bytes) {
      const ref = refOf(sha256Hex(bytes), bytes.length);
      const key = blobKey(ref.sha256);
      const written = await store.putIfAbsent(key, bytes);
      if (written !== 'created') {
        const found = await lookAtFound(key, ref.sha256);
        if (written === 'conflict' || !isYoung(found))
          await writeOverOld(key, ref.sha256, () => replace(key, bytes));
      }
      await blobs.check(ref);
      return ref;
    },

    async putFile(path, signal, onUploaded) {
      const digest = await digestOfFile(path);
      const ref = refOf(digest.sha256, digest.bytes);
      const key = blobKey(digest.sha256);
      const isNew = (await store.head(key)) === null;
      if (!isNew && isYoung(await lookAtFound(key, ref.sha256, signal)) && (await isWhole(ref, signal)))
        return ref;
      const upload = async (): Promise<void> => {
        const options = { digest, ...(signal === undefined ? {} : { signal }) };
        const { isConfirmed } = await store.putFile(key, path, options);
        damaged.delete(digest.sha256);
        if (!isConfirmed) await blobs.verify(ref, signal);
        onUploaded?.(digest.bytes);
      };
      await (isNew ? upload() : writeOverOld(key, ref.sha256, upload, signal));
      return ref;
    },

    async readBytes(ref) {
      const chunks: Buffer[] = [];
      for await (const chunk of await blobs.openStream(ref)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },

    async readToFile(ref, path, signal) {
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        await pipeline(await blobs.openStream(ref, signal), createWriteStream(partial, { flags: 'wx' }));
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    },

    async openStream(ref, signal) {
      const download = await store.openStream(blobKey(ref.sha256), signal);
      if (download === null) throw missing(ref);
      const chunks = verified(download, ref, () => damaged.add(ref.sha256));
      return Readable.from(chunks, { objectMode: false });
    },

    async check(ref) {
      const present = await store.look(blobKey(ref.sha256));
      if (present === null) throw missing(ref);
      if (present.bytes !== ref.bytes) throw corrupt(ref, `${present.bytes} bytes`);
      return present;
    },

    async requireYoung(refs) {
      if (refs.length > 0)
        await outlast(
          store,
          refs.map(({ sha256 }) => sha256),
        );
      await mapLimit(refs, REQUESTS_AT_ONCE, async (ref) => {
        const found = await store.look(blobKey(ref.sha256));
        if (found !== null && (found.ageMs ?? 0) <= BLOB_OLD_AFTER_MS) return;
        const problem = `${ref.uri} was written too long ago to be named now.`;
        throw new SecpiError('STORE_UNAVAILABLE', problem, { remedy: 'Nothing: it is written again.' });
      });
    },

    async settle(refs) {
      if (refs.length === 0) return;
      await outlast(
        store,
        refs.map(({ sha256 }) => sha256),
      );
      await mapLimit(refs, REQUESTS_AT_ONCE, (ref) => blobs.check(ref));
    },

    async verify(ref, signal) {
      await sha256OfStream(await blobs.openStream(ref, signal));
    },

    putFolder: (dir, signal, onUploaded) => putFolder(blobs, dir, signal, onUploaded),
    readFolder: (files, dir, signal) => readFolder(blobs, files, dir, signal),
  };
  return blobs;
}

/** A store that tells no age may have had it for long. */
function isYoung(found: FoundObject | null): boolean {
  return found !== null && found.ageMs !== null && found.ageMs <= BLOB_REFRESH_AFTER_MS;
}

/** True for an error that says: this blob is missing or not what its name says. */
export function isDamage(error: unknown): error is SecpiError {
  return error instanceof SecpiError && (error.code === 'BLOB_MISSING' || error.code === 'BLOB_CORRUPT');
}

async function* verified(download: Download, ref: BlobRef, onDamage: () => void): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  try {
    if (download.bytes !== ref.bytes) throw corrupt(ref, `${download.bytes} bytes`);
    for await (const chunk of download.stream) {
      hash.update(chunk);
      yield chunk;
    }
  } finally {
    download.stream.destroy();
  }
  const found = hash.digest('hex');
  if (found === ref.sha256) return;
  onDamage();
  throw corrupt(ref, `bytes with the SHA-256 ${found}`);
}

function missing(ref: BlobRef): SecpiError {
  return new SecpiError('BLOB_MISSING', `${ref.uri} (${ref.bytes} bytes) is not there.`);
}

function corrupt(ref: BlobRef, found: string): SecpiError {
  return new SecpiError(
    'BLOB_CORRUPT',
    `${ref.uri} should have ${ref.bytes} bytes with the SHA-256 of its name, but has ${found}.`,
    {
      remedy: 'Delete or restore this object, then run again with reuse "never".',
    },
  );
}
