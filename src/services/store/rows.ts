/** Rows as parts: canonical JSON lines, compressed with zstd, each part an immutable blob. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { pipeline as pipelineDone } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { z } from 'zod';
import { SecpiError, messageOf } from '../../contract/errors.ts';
import type { Part } from '../../contract/refs.ts';
import type { Blobs } from './blobs.ts';
import { canonicalLine } from './canonicalJson.ts';
import { splitLines } from './lines.ts';

type Rows<T> = AsyncIterable<T> | Iterable<T>;

/** Fixed here, since equal rows must give equal bytes. */
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_checksumFlag]: 1 };
/** The compressor is fed in chunks cut by content, so that its output does not depend on when rows arrived. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Writes rows in the order given, `rowsPerPart` to a part; no rows, no parts. Memory holds a chunk, not a part.
 * Equal rows and an equal `rowsPerPart` give equal blobs under one version of Node.
 */
export async function writeRows(
  blobs: Blobs,
  rows: Rows<unknown>,
  { rowsPerPart }: { rowsPerPart: number },
): Promise<Part[]> {
  if (!Number.isSafeInteger(rowsPerPart) || rowsPerPart < 1)
    throw new RangeError('rowsPerPart must be a positive integer');
  const parts: Part[] = [];
  let open: PartWriter | null = null;
  try {
    for await (const row of rows) {
      open ??= openPart(blobs);
      await open.write(canonicalLine(row));
      if (open.rows() < rowsPerPart) continue;
      parts.push(await open.finish());
      open = null;
    }
    if (open !== null) parts.push(await open.finish());
    open = null;
    return parts;
  } finally {
    await open?.discard();
  }
}

export interface RowRange {
  /** First row, counted over all parts from 0. */
  readonly from?: number;
  /** The row to stop before. */
  readonly to?: number;
}

/**
 * Reads rows in order. Only parts that overlap the range are read, each verified as a whole before its first row is
 * given out. BLOB_MISSING; BLOB_CORRUPT where a row does not fit the schema or their number is not the part's.
 */
export async function* readRows<T>(
  blobs: Blobs,
  parts: readonly Part[],
  { from = 0, to = Number.POSITIVE_INFINITY }: RowRange,
  schema: z.ZodType<T>,
): AsyncGenerator<T> {
  let start = 0;
  for (const part of parts) {
    const end = start + part.rows;
    if (start < to && end > from)
      yield* readPart(blobs, part, Math.max(0, from - start), Math.min(part.rows, to - start), schema);
    start = end;
  }
}

/** The content hash of rows: SHA-256 over their canonical lines. Independent of how they are cut into parts. */
export async function hashRows(rows: Rows<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const row of rows) hash.update(canonicalLine(row));
  return hash.digest('hex');
}

/** `hashRows` of the rows that `writeRows` put into these parts, without parsing them. */
export async function hashParts(blobs: Blobs, parts: readonly Part[]): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) for await (const chunk of decompressed(blobs, part)) hash.update(chunk);
  return hash.digest('hex');
}

interface PartWriter {
  write(line: string): Promise<void>;
  rows(): number;
  finish(): Promise<Part>;
  discard(): Promise<void>;
}

function openPart(blobs: Blobs): PartWriter {
  const path = join(blobs.tempDir, `secpi-${randomUUID()}.jsonl.zst`);
  const compressor = createZstdCompress({ params: ZSTD_PARAMS });
  const written = pipelineDone(compressor, createWriteStream(path, { flags: 'wx' }));
  // Awaited in finish(); a write that fails before must not end the process.
  written.catch(() => undefined);
  let chunk = '';
  let rows = 0;
  const flush = async (): Promise<void> => {
    const text = chunk;
    chunk = '';
    if (!compressor.write(text)) await Promise.race([once(compressor, 'drain'), written]);
  };
  return {
    async write(line) {
      rows += 1;
      chunk += line;
      if (chunk.length >= CHUNK_CHARACTERS) await flush();
    },
    rows: () => rows,
    async finish() {
      try {
        compressor.end(chunk);
        await written;
        return { ...(await blobs.putFile(path)), rows };
      } finally {
        await rm(path, { force: true });
      }
    },
    async discard() {
      compressor.destroy();
      await written.catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

async function* readPart<T>(
  blobs: Blobs,
  part: Part,
  from: number,
  to: number,
  schema: z.ZodType<T>,
): AsyncGenerator<T> {
  let row = 0;
  for await (const line of splitLines(decompressed(blobs, part))) {
    if (row >= from && row < to) yield parseRow(line, schema, `Row ${row} of ${part.uri}`);
    row += 1;
    if (row >= to && to < part.rows) return;
  }
  if (row !== part.rows)
    throw new SecpiError('BLOB_CORRUPT', `${part.uri} should hold ${part.rows} rows, but holds ${row}.`);
}

function parseRow<T>(line: string, schema: z.ZodType<T>, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${where} is not JSON: ${messageOf(error)}.`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SecpiError(
    'BLOB_CORRUPT',
    `${where} does not fit: ${issue?.path.join('.')}: ${issue?.message}.`,
    { cause: result.error },
  );
}

async function* decompressed(blobs: Blobs, part: Part): AsyncGenerator<Buffer> {
  const path = join(blobs.tempDir, `secpi-${randomUUID()}.jsonl.zst`);
  try {
    await blobs.readToFile(part, path);
    // A failure of either stream destroys the other and is thrown by the loop.
    const lines = pipeline(createReadStream(path), createZstdDecompress(), () => undefined);
    try {
      for await (const chunk of lines) yield Buffer.from(chunk);
    } catch (error) {
      throw new SecpiError('BLOB_CORRUPT', `${part.uri} does not decompress: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  } finally {
    await rm(path, { force: true });
  }
}
