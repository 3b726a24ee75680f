/** The bytes of a text file, decompressed where its first bytes say that it is compressed. */
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { messageOf, SecpiError } from '../../contract/errors.ts';
import type { SourceFile } from './sourceFiles.ts';
import { unreadable } from './unreadable.ts';

const LOOK_AT_BYTES = 4096;

/** DATASET_UNREADABLE for what is binary, or compressed and cut or damaged. */
export async function* textBytes(file: SourceFile): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of await decompressed(file)) {
    const bytes = chunk as Buffer;
    if (isFirst) refuseBinary(bytes.subarray(0, LOOK_AT_BYTES), file.name);
    isFirst = false;
    yield bytes;
  }
}

async function decompressed(file: SourceFile): Promise<AsyncIterable<unknown>> {
  const magic = Buffer.from(await file.read(0, Math.min(4, file.bytes)));
  const isGzip = magic.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]));
  const isZstd = magic.equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  const raw = await file.open();
  if (!isGzip && !isZstd) return raw;
  return unpacked(raw, isGzip ? 'gzip' : 'zstd', file.name);
}

async function* unpacked(raw: Readable, kind: 'gzip' | 'zstd', name: string): AsyncGenerator {
  const chunks = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const queue = { rest: await nextChunk(chunks) };
  try {
    // Node's zstd ends without a word after a frame, where a file may hold several: a new one takes the rest.
    while (queue.rest !== null) {
      const unpacker = kind === 'gzip' ? createGunzip() : createZstdDecompress();
      const feeding = feed(queue, chunks, unpacker).catch((error: unknown) => {
        unpacker.destroy(error instanceof Error ? error : new Error(String(error)));
      });
      try {
        yield* unpacker;
      } finally {
        unpacker.destroy();
        await feeding;
      }
    }
  } catch (cause) {
    if (cause instanceof SecpiError) throw cause;
    throw unreadable(`${name} does not unpack (${kind}): ${messageOf(cause)}.`, {
      cause,
      remedy: 'Copy the file again: it is cut or damaged.',
    });
  } finally {
    raw.destroy();
  }
}

/** Writes chunks until they end, or until the unpacker wants no more; `rest` is what it has not taken. */
async function feed(
  queue: { rest: Buffer | null },
  chunks: AsyncIterator<Buffer>,
  unpacker: Gunzip | ZstdDecompress,
): Promise<void> {
  for (let rest = queue.rest; rest !== null; rest = queue.rest) {
    const before = unpacker.bytesWritten;
    await promisify((done: (error?: Error | null) => void) => unpacker.write(rest, done))();
    const taken = unpacker.bytesWritten - before;
    if (taken === 0) throw new Error(`${rest.length} bytes follow its end`);
    if (taken < rest.length) {
      queue.rest = rest.subarray(taken);
      return;
    }
    queue.rest = await nextChunk(chunks);
  }
  unpacker.end();
}

async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Buffer | null> {
  const next = await chunks.next();
  return next.done === true ? null : next.value;
}

function refuseBinary(start: Buffer, name: string): void {
  if (start.subarray(0, 4).toString('latin1') === 'PAR1') {
    throw unreadable(`${name} is a Parquet file.`, {
      field: 'dataset.format',
      remedy: 'Set dataset.format to "parquet".',
    });
  }
  if (start.includes(0)) throw unreadable(`${name} is binary, or text that is not UTF-8.`);
}
