/** The key index of a segment: bytes, and where each answer lies. Pure. The layout is in DESIGN.md. */
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { sha256Schema } from '../../../contract/refs.ts';
import { sha256Hex } from '../../store/hash.ts';

const MAGIC = Buffer.from('SECPIDX1');
/** Key bytes kept in the index; the line itself holds the whole key. */
const KEY_BYTES = 16;
export const ENTRY_BYTES = KEY_BYTES + 12;
const HASH_BYTES = 32;
const decompress = promisify(zstdDecompress);

const sourceSchema = z.strictObject({
  /** The segment as it was published first. */
  name: z.string(),
  rows: z.int().nonnegative(),
});
export type SegmentSource = z.infer<typeof sourceSchema>;

const headerSchema = z.strictObject({
  segmentSha256: sha256Schema,
  segmentBytes: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** Compressed sizes, in order. */
  frameBytes: z.array(z.int().positive()),
  /** Of a merged segment only: the rows of which segments it holds, one after the other. */
  sources: z.array(sourceSchema).optional(),
});
type Header = z.infer<typeof headerSchema>;

/** Where an answer lies inside its segment. */
export interface LineAddress {
  readonly frame: number;
  readonly offset: number;
  readonly bytes: number;
}

export function writeEntry(entries: Buffer, row: number, key: string, address: LineAddress): void {
  const at = row * ENTRY_BYTES;
  entries.write(key.slice(0, KEY_BYTES * 2), at, 'hex');
  entries.writeUInt32LE(address.frame, at + KEY_BYTES);
  entries.writeUInt32LE(address.offset, at + KEY_BYTES + 4);
  entries.writeUInt32LE(address.bytes, at + KEY_BYTES + 8);
}

export function encodeIndex(header: Header, entries: Buffer): Buffer {
  const headerBytes = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(headerBytes.length);
  const body = Buffer.concat([MAGIC, length, headerBytes, entries]);
  return Buffer.concat([body, Buffer.from(sha256Hex(body), 'hex')]);
}

/** The first bytes of a key, as the index holds them. */
export function keyPrefix(key: string): Buffer {
  return Buffer.from(key.slice(0, KEY_BYTES * 2), 'hex');
}

/** The key index of one segment, kept as the bytes that were read (28 a row). */
export class SegmentIndex {
  readonly header: Header;
  /** Key prefix and address of every row. */
  readonly entries: Buffer;
  readonly #frameStarts: readonly number[];

  /** Throws BLOB_CORRUPT naming `key` when the bytes are not a whole index. */
  constructor(bytes: Buffer, key: string) {
    const corrupt = (problem: string, cause?: unknown): SecpiError =>
      new SecpiError('BLOB_CORRUPT', `The key index ${key} ${problem}.`, {
        remedy: 'Restore the object, or delete it with its segment: its answers are then paid again.',
        cause,
      });
    const body = bytes.subarray(0, Math.max(0, bytes.length - HASH_BYTES));
    if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('does not start as one');
    if (sha256Hex(body) !== bytes.subarray(body.length).toString('hex'))
      throw corrupt('does not match its checksum');
    const headerStart = MAGIC.length + 4;
    const entriesStart = headerStart + body.readUInt32LE(MAGIC.length);
    try {
      this.header = headerSchema.parse(JSON.parse(body.subarray(headerStart, entriesStart).toString()));
    } catch (error) {
      throw corrupt(`has no readable header (${messageOf(error)})`, error);
    }
    this.entries = body.subarray(entriesStart);
    if (this.entries.length !== this.header.rows * ENTRY_BYTES)
      throw corrupt(`does not hold ${this.header.rows} rows`);
    let start = 0;
    this.#frameStarts = this.header.frameBytes.map((frame) => (start += frame) - frame);
  }

  get rows(): number {
    return this.header.rows;
  }

  get frames(): number {
    return this.#frameStarts.length;
  }

  /** True when this row's key starts with the prefix that stands at `at` of `bytes`. */
  holdsKey(row: number, bytes: Buffer, at: number): boolean {
    const own = row * ENTRY_BYTES;
    for (let word = 0; word < KEY_BYTES; word += 4) {
      if (this.entries.readUInt32LE(own + word) !== bytes.readUInt32LE(at + word)) return false;
    }
    return true;
  }

  addressAt(row: number): LineAddress {
    const at = row * ENTRY_BYTES + KEY_BYTES;
    return {
      frame: this.entries.readUInt32LE(at),
      offset: this.entries.readUInt32LE(at + 4),
      bytes: this.entries.readUInt32LE(at + 8),
    };
  }

  /** Uncompressed. */
  get lineBytes(): number {
    let total = 0;
    for (let row = 0; row < this.rows; row += 1) total += this.addressAt(row).bytes;
    return total;
  }

  /** Where a frame lies in the segment's object. */
  rangeOf(frame: number): { readonly start: number; readonly bytes: number } {
    const start = this.#frameStarts[frame];
    const bytes = this.header.frameBytes[frame];
    if (start === undefined || bytes === undefined)
      throw new SecpiError('BLOB_CORRUPT', `A key index of ${this.frames} frames names frame ${frame}.`);
    return { start, bytes };
  }

  /** Throws BLOB_CORRUPT when the segment is not the one that this index was made for. */
  checkSegment(segment: Buffer, key: string): void {
    if (segment.length === this.header.segmentBytes && sha256Hex(segment) === this.header.segmentSha256)
      return;
    throw new SecpiError('BLOB_CORRUPT', `The answers in ${key} do not match their hash.`, {
      remedy: 'Restore the object, or delete it with its key index (.idx): its answers are then paid again.',
    });
  }
}

/** The lines of one frame; its own checksum is verified. `where` names it in BLOB_CORRUPT. */
export async function linesOfFrame(compressed: Buffer, where: string): Promise<Buffer> {
  try {
    return await decompress(compressed);
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${where} cannot be read: ${messageOf(error)}.`, {
      remedy: 'Restore the object, or delete it with its key index (.idx): its answers are then paid again.',
      cause: error,
    });
  }
}
