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
import { digestOfFile, sha256Hex, sha256OfStream } from './hash.ts';
import { blobKey } from './keys.ts';
import type { Download } from './download.ts';
import type { ObjectStore } from './objectStore.ts';

/** A blob is found by its hash alone: refs stay good when a bucket is copied to another name. */
export interface Blobs {
  /** Where parts are written before they are uploaded and after they are read. */
  readonly tempDir: string;
  putBytes(bytes: Uint8Array): Promise<BlobRef>;
  /** Hashes first; uploads only what the store does not have. */
  putFile(path: string, signal?: AbortSignal, onUploaded?: OnUploaded): Promise<BlobRef>;
  /** A small blob into memory. BLOB_MISSING, BLOB_CORRUPT. */
  readBytes(ref: BlobRef): Promise<Buffer>;
  /** The file appears whole and verified, or not at all. BLOB_MISSING, BLOB_CORRUPT. */
  readToFile(ref: BlobRef, path: string, signal?: AbortSignal): Promise<void>;
  /** Verified at its end: what was read before an error must not be kept. BLOB_MISSING, BLOB_CORRUPT. */
  openStream(ref: BlobRef, signal?: AbortSignal): Promise<Readable>;
  /** Is there, with the right size? Reads no bytes. BLOB_MISSING, BLOB_CORRUPT. */
  check(ref: BlobRef): Promise<void>;
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

  async function replaceDamaged(key: string, bytes: Uint8Array): Promise<void> {
    const present = await store.head(key);
    // A refused write means that another writer mends it at this moment: the check that follows decides.
    await (present === null ? store.putIfAbsent(key, bytes) : store.replaceIfMatch(key, bytes, present.etag));
  }

  const blobs: Blobs = {
    tempDir: options.tempDir ?? tmpdir(),

    async putBytes(bytes) {
      const ref = refOf(sha256Hex(bytes), bytes.length);
      const key = blobKey(ref.sha256);
      if ((await store.putIfAbsent(key, bytes)) === 'conflict') await replaceDamaged(key, bytes);
      await blobs.check(ref);
      return ref;
    },

    async putFile(path, signal, onUploaded) {
      const digest = await digestOfFile(path);
      const ref = refOf(digest.sha256, digest.bytes);
      const key = blobKey(digest.sha256);
      if ((await store.head(key)) !== null && (await isWhole(ref, signal))) return ref;
      const options = { digest, ...(signal === undefined ? {} : { signal }) };
      const { isConfirmed } = await store.putFile(key, path, options);
      damaged.delete(digest.sha256);
      if (!isConfirmed) await blobs.verify(ref, signal);
      onUploaded?.(digest.bytes);
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
      const present = await store.head(blobKey(ref.sha256));
      if (present === null) throw missing(ref);
      if (present.bytes !== ref.bytes) throw corrupt(ref, `${present.bytes} bytes`);
    },

    async verify(ref, signal) {
      await sha256OfStream(await blobs.openStream(ref, signal));
    },

    putFolder: (dir, signal, onUploaded) => putFolder(blobs, dir, signal, onUploaded),
    readFolder: (files, dir, signal) => readFolder(blobs, files, dir, signal),
  };
  return blobs;
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
