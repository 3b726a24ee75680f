/**
 * Uploads a file: in one request when small, in parts with bounded memory when large. The store checks every request
 * against a checksum of the bytes that were hashed, and says afterwards what it holds.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import { CRC_PIECE_BYTES, crcToBase64, digestOfFile, hexToBase64, sha256Hex } from './hash.ts';
import type { FileDigest } from './hash.ts';
import { CHANGED_BODY_NAMES, describeFailure, isAbsent } from './storeErrors.ts';

export interface UploadOptions {
  /** The SHA-256 that the file is known to have: an upload of other bytes never completes. */
  readonly sha256?: string;
  /** What was read of the file already; spares reading it once more before the upload. Holds like `sha256`. */
  readonly digest?: FileDigest;
  readonly signal?: AbortSignal;
}

export interface UploadedFile {
  readonly bytes: number;
  readonly etag: string;
  /** The store reports the checksum of the bytes that were hashed; false where it reports none. */
  readonly isConfirmed: boolean;
}

interface UploadRequest extends UploadOptions {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
  readonly path: string;
}

const MULTIPART_FROM_BYTES = 2 * CRC_PIECE_BYTES;
/** S3 allows at most 10,000 parts. */
const MAX_PARTS = 10_000;
/** Memory of an upload: parts in flight × part size, 32 MiB up to files of 80 GB. */
const PARTS_IN_FLIGHT = 4;
const MAX_UPLOADS = 3;
/**
 * Answers to a Complete that is repeated after its first answer was lost, or after the server was killed inside it.
 * Whether the first one held, HeadObject tells.
 */
const LOST_UPLOAD_NAMES: ReadonlySet<string> = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder']);

/**
 * Returns what the store reports after the upload. What arrived otherwise than it was sent is uploaded again, and so
 * is what HeadObject does not confirm: a server killed while it completed an upload can answer a repeated Complete
 * with success although the object does not exist (seen with versitygw 1.8.0).
 */
export async function uploadFile(request: UploadRequest): Promise<UploadedFile> {
  const digest = request.digest ?? (await digestOfFile(request.path));
  if (request.sha256 !== undefined && request.sha256 !== digest.sha256) throw changed(request.path);
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    try {
      await (digest.bytes <= MULTIPART_FROM_BYTES
        ? uploadWhole(request, digest)
        : uploadInParts(request, digest));
    } catch (error) {
      const { name } = describeFailure(error);
      if (!LOST_UPLOAD_NAMES.has(name) && !CHANGED_BODY_NAMES.has(name)) throw error;
      failure = error;
    }
    const stored = await headOf(request, digest);
    if (stored !== null && stored.problem === null) return stored;
    if (attempt === MAX_UPLOADS) {
      const found = stored === null ? 'nothing is there' : stored.problem;
      const problem = `After ${attempt} uploads of ${digest.bytes} bytes to ${request.Key}, ${found}${failure === undefined ? '' : `: ${messageOf(failure)}`}.`;
      throw new SecpiError('STORE_UNAVAILABLE', problem, { cause: failure });
    }
  }
}

async function uploadWhole(
  { client, Bucket, Key, path, signal }: UploadRequest,
  { sha256 }: FileDigest,
): Promise<void> {
  const Body = await readFile(path);
  if (sha256Hex(Body) !== sha256) throw changed(path);
  const input = { Bucket, Key, Body, ContentLength: Body.length, ChecksumSHA256: hexToBase64(sha256) };
  await client.send(new PutObjectCommand(input), optionsOf(signal));
}

async function uploadInParts(request: UploadRequest, digest: FileDigest): Promise<void> {
  const { client, Bucket, Key, path, signal } = request;
  const file = await open(path);
  try {
    const begun = await client.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      }),
      optionsOf(signal),
    );
    const at = { Bucket, Key, UploadId: begun.UploadId };
    try {
      const Parts = await uploadParts(request, digest, at.UploadId, file);
      await client.send(
        new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }),
        optionsOf(signal),
      );
    } catch (error) {
      // What cannot be told to the store now, the sweep of stale uploads ends later.
      await client.send(new AbortMultipartUploadCommand(at)).catch(() => undefined);
      throw error;
    }
  } finally {
    await file.close();
  }
}

/** A few lanes, each with a buffer of its own that it fills again and again. */
async function uploadParts(
  { client, Bucket, Key, path, signal }: UploadRequest,
  digest: FileDigest,
  UploadId: string | undefined,
  file: FileHandle,
): Promise<CompletedPart[]> {
  const pieces = Math.ceil(digest.bytes / MAX_PARTS / CRC_PIECE_BYTES);
  const partBytes = pieces * CRC_PIECE_BYTES;
  const count = Math.ceil(digest.bytes / partBytes);
  const parts: CompletedPart[] = [];
  const stop = new AbortController();
  const sending = optionsOf(AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]));
  let next = 0;
  const lane = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafeSlow(partBytes);
    while (next < count) {
      const index = next;
      next += 1;
      const Body = await readPart(file, buffer, index * partBytes);
      const crc = checkedCrc(Body, digest, index * pieces);
      if (crc === null) throw changed(path);
      const ChecksumCRC32 = crcToBase64(crc);
      const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body, ContentLength: Body.length };
      const { ETag } = await client.send(new UploadPartCommand({ ...part, ChecksumCRC32 }), sending);
      parts[index] = { PartNumber: index + 1, ETag, ChecksumCRC32 };
    }
  };
  const lanes = Array.from({ length: Math.min(PARTS_IN_FLIGHT, count) }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(lanes);
    signal?.throwIfAborted();
    throw error;
  }
  return parts;
}

async function readPart(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The CRC-32 of a part; null when its pieces are not the ones that were hashed. */
function checkedCrc(part: Buffer, digest: FileDigest, firstPiece: number): number | null {
  let whole = 0;
  for (let at = 0, piece = firstPiece; at < part.length; at += CRC_PIECE_BYTES, piece += 1) {
    const bytes = part.subarray(at, at + CRC_PIECE_BYTES);
    if (crc32(bytes) !== digest.pieces[piece]) return null;
    whole = part.length > CRC_PIECE_BYTES ? crc32(bytes, whole) : (digest.pieces[piece] ?? 0);
  }
  return whole;
}

function changed(path: string): SecpiError {
  return new SecpiError('INTERNAL', `The file ${path} changed while it was uploaded.`, {
    remedy: 'Upload a file only after its writer has closed it.',
  });
}

/** What the store says it holds; `problem` where that is not the file. Null when it holds nothing. */
async function headOf(
  { client, Bucket, Key }: UploadRequest,
  digest: FileDigest,
): Promise<(UploadedFile & { problem: string | null }) | null> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    const bytes = answer.ContentLength ?? 0;
    const isConfirmed =
      answer.ChecksumSHA256 === hexToBase64(digest.sha256) ||
      answer.ChecksumCRC32 === crcToBase64(digest.crc32);
    // A checksum of checksums ("…-12") says nothing about the whole.
    const isRefuted =
      !isConfirmed && answer.ChecksumCRC32 !== undefined && !answer.ChecksumCRC32.includes('-');
    const problem =
      bytes !== digest.bytes
        ? `${bytes} bytes are there`
        : isRefuted
          ? `bytes with the CRC-32 ${answer.ChecksumCRC32} are there`
          : null;
    return { bytes, etag: answer.ETag ?? '', isConfirmed, problem };
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

function optionsOf(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
