/** SHA-256 of bytes, texts, streams and files, as lower-case hex; CRC-32 as S3 headers carry it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';

const READ_BYTES = 1024 * 1024;

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Hashes as it streams: memory does not grow with the size. */
export async function sha256OfStream(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

export async function sha256OfFile(path: string): Promise<{ sha256: string; bytes: number }> {
  return sha256OfStream(createReadStream(path, { highWaterMark: READ_BYTES }));
}

/** What is known of a file before its upload, from one reading. */
export interface FileDigest {
  readonly sha256: string;
  readonly bytes: number;
  readonly crc32: number;
  /** CRC-32 of each piece of `CRC_PIECE_BYTES`, the last one shorter. */
  readonly pieces: readonly number[];
}

/** Parts of uploads are this long, or a multiple of it. */
export const CRC_PIECE_BYTES = 8 * 1024 * 1024;

/** SHA-256 for the name; CRC-32, each at a third of its cost, for the store to check what it receives and assembles. */
export async function digestOfFile(path: string): Promise<FileDigest> {
  const sha256 = createHash('sha256');
  const pieces: number[] = [];
  let whole = 0;
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    const read: Uint8Array = chunk;
    sha256.update(read);
    whole = crc32(read, whole);
    for (let at = 0; at < read.length;) {
      const piece = Math.floor(bytes / CRC_PIECE_BYTES);
      const taken = read.subarray(at, at + (piece + 1) * CRC_PIECE_BYTES - bytes);
      pieces[piece] = crc32(taken, pieces[piece] ?? 0);
      at += taken.length;
      bytes += taken.length;
    }
  }
  return { sha256: sha256.digest('hex'), bytes, crc32: whole, pieces };
}

/** The form in which S3 headers carry a SHA-256. */
export function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

/** The form in which S3 headers carry a CRC-32. */
export function crcToBase64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}
