/** Uploads a file: in one request when small, in parts with bounded memory when large. */
import { readFile, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import { hexToBase64, sha256Hex } from './hash.ts';
import { describeFailure, isAbsent } from './storeErrors.ts';

export interface UploadOptions {
  /** The SHA-256 that the file is known to have: an upload of other bytes never completes. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

interface UploadRequest extends UploadOptions {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
  readonly path: string;
}

const MIB = 1024 * 1024;
const MULTIPART_FROM_BYTES = 16 * MIB;
const MIN_PART_BYTES = 8 * MIB;
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
 * Returns size and etag as the store reports them after the upload. What HeadObject does not confirm is uploaded
 * again: a server killed while it completed an upload can answer a repeated Complete with success although the
 * object does not exist (seen with versitygw 1.8.0).
 */
export async function uploadFile(request: UploadRequest): Promise<{ bytes: number; etag: string }> {
  const fileBytes = (await stat(request.path)).size;
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    try {
      await (fileBytes <= MULTIPART_FROM_BYTES ? uploadWhole(request) : uploadInParts(request, fileBytes));
    } catch (error) {
      if (!LOST_UPLOAD_NAMES.has(describeFailure(error).name)) throw error;
      failure = error;
    }
    const stored = await headOf(request);
    if (stored?.bytes === fileBytes) return stored;
    if (attempt === MAX_UPLOADS) {
      const found = stored === null ? 'nothing is there' : `${stored.bytes} bytes are there`;
      const problem = `After ${attempt} uploads of ${fileBytes} bytes to ${request.Key}, ${found}${failure === undefined ? '' : `: ${messageOf(failure)}`}.`;
      throw new SecpiError('STORE_UNAVAILABLE', problem, { cause: failure });
    }
  }
}

async function uploadWhole({ client, Bucket, Key, path, sha256, signal }: UploadRequest): Promise<void> {
  const Body = await readFile(path);
  const actual = sha256Hex(Body);
  refuseChanged(path, sha256, actual);
  const input = { Bucket, Key, Body, ContentLength: Body.length, ChecksumSHA256: hexToBase64(actual) };
  await client.send(new PutObjectCommand(input), signal === undefined ? {} : { abortSignal: signal });
}

async function uploadInParts(
  { client, Bucket, Key, path, sha256, signal }: UploadRequest,
  fileBytes: number,
): Promise<void> {
  const upload = new Upload({
    client,
    params: {
      Bucket,
      Key,
      Body: Readable.from(checkedChunks(path, sha256, signal), { objectMode: false }),
      ChecksumAlgorithm: 'CRC32',
    },
    partSize: Math.max(MIN_PART_BYTES, Math.ceil(fileBytes / MAX_PARTS)),
    queueSize: PARTS_IN_FLIGHT,
  });
  await upload.done();
}

/**
 * Fails before the last chunk is handed over when the file changed since it was hashed, so nothing is completed.
 * A cancellation ends here too: then the parts in flight end first, and the store is told to drop them.
 */
async function* checkedChunks(
  path: string,
  sha256: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let held: Buffer | undefined;
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) {
    signal?.throwIfAborted();
    const bytes = Buffer.from(chunk);
    hash.update(bytes);
    if (held !== undefined) yield held;
    held = bytes;
  }
  refuseChanged(path, sha256, hash.digest('hex'));
  if (held !== undefined) yield held;
}

function refuseChanged(path: string, expected: string | undefined, actual: string): void {
  if (expected === undefined || expected === actual) return;
  throw new SecpiError('INTERNAL', `The file ${path} changed while it was uploaded.`, {
    remedy: 'Upload a file only after its writer has closed it.',
  });
}

async function headOf({
  client,
  Bucket,
  Key,
}: UploadRequest): Promise<{ bytes: number; etag: string } | null> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket, Key }));
    return { bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '' };
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
