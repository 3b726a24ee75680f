/** Streams an object; a connection that breaks on the way is taken up again at the byte where it broke. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import { isAborted, isAbsent, toStoreError } from './storeErrors.ts';

export interface Download {
  readonly stream: Readable;
  readonly bytes: number;
  readonly etag: string;
}

/** Broken connections in a row, without a byte in between, after which a download is given up. */
const MAX_BREAKS = 4;
const BREAK_WAIT_MS = 200;

interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/** Bytes of an object: from `start`, `bytes` of them (at least 1). */
export interface ByteRange {
  readonly start: number;
  readonly bytes: number;
}

/** Null when the object is not there. A range that the object does not reach to its end comes shorter. */
export async function openDownload(
  client: S3Client,
  at: ObjectAddress,
  { signal, range }: { readonly signal?: AbortSignal | undefined; readonly range?: ByteRange } = {},
): Promise<Download | null> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  const start = range?.start ?? 0;
  const last = range === undefined ? '' : range.start + range.bytes - 1;
  const whole = range === undefined ? {} : { Range: `bytes=${start}-${last}` };
  let first: GetObjectCommandOutput;
  try {
    first = await client.send(new GetObjectCommand({ ...at, ...whole }), options);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  const bytes = first.ContentLength ?? 0;
  const etag = first.ETag ?? '';
  const resume = (offset: number): Promise<GetObjectCommandOutput> =>
    client.send(
      new GetObjectCommand({ ...at, Range: `bytes=${start + offset}-${last}`, IfMatch: etag }),
      options,
    );
  const stream = Readable.from(unbroken(first, bytes, resume, at), {
    objectMode: false,
    ...(signal === undefined ? {} : { signal }),
  });
  return { stream, bytes, etag };
}

export async function readWhole(download: Download): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of download.stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* unbroken(
  first: GetObjectCommandOutput,
  bytes: number,
  resume: (offset: number) => Promise<GetObjectCommandOutput>,
  at: ObjectAddress,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let offset = 0;
  let breaks = 0;
  for (;;) {
    let broken: unknown;
    try {
      for await (const chunk of bodyOf(answer)) {
        offset += chunk.length;
        breaks = 0;
        yield chunk;
      }
    } catch (error) {
      if (isAborted(error)) throw error;
      broken = error;
    }
    if (offset === bytes) return;
    breaks += 1;
    if (offset > bytes || breaks > MAX_BREAKS) {
      const problem = `Reading ${at.Key} broke off at ${offset} of ${bytes} bytes: ${messageOf(broken)}.`;
      throw new SecpiError('STORE_UNAVAILABLE', problem, { cause: broken });
    }
    await sleep(BREAK_WAIT_MS * 2 ** (breaks - 1));
    answer = await resume(offset).catch((error: unknown) => {
      throw toStoreError(error, at.Bucket, `Reading ${at.Key}`);
    });
  }
}

function bodyOf(answer: GetObjectCommandOutput): Readable {
  return answer.Body instanceof Readable ? answer.Body : Readable.from([]);
}
