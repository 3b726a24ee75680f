/**
 * The two objects of a segment, as bytes. Pure. The segment is JSON Lines in consecutive zstd frames
 * (`zstd -dc` prints it); the key index says in which frame, and where in it, each answer lies.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { sha256Schema } from '../../../contract/refs.ts';
import { sha256Hex } from '../../store/hash.ts';

/** Uncompressed bytes after which a frame ends: what has to be decompressed to read one answer. */
const FRAME_BYTES = 128 * 1024;
const MAGIC = Buffer.from('SECPIDX1');
/** Key bytes kept in the index; the line itself holds the whole key. */
export const KEY_BYTES = 16;
const ENTRY_BYTES = KEY_BYTES + 12;
const HASH_BYTES = 32;

const headerSchema = z.strictObject({
  segmentSha256: sha256Schema,
  segmentBytes: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** Compressed sizes, in order. */
  frameBytes: z.array(z.int().positive()),
});
type Header = z.infer<typeof headerSchema>;

export interface SegmentLine {
  readonly key: string;
  /** With its newline. */
  readonly text: string;
}

export interface EncodedSegment {
  readonly segment: Buffer;
  readonly index: Buffer;
}

export function encodeSegment(lines: readonly SegmentLine[]): EncodedSegment {
  const frames: Buffer[] = [];
  const entries = Buffer.alloc(lines.length * ENTRY_BYTES);
  let pending: Buffer[] = [];
  let offset = 0;
  const endFrame = (): void => {
    if (pending.length === 0) return;
    frames.push(zstdCompressSync(Buffer.concat(pending), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }));
    pending = [];
    offset = 0;
  };
  for (const [row, line] of lines.entries()) {
    const bytes = Buffer.from(line.text);
    const at = row * ENTRY_BYTES;
    keyPrefix(line.key).copy(entries, at);
    entries.writeUInt32LE(frames.length, at + KEY_BYTES);
    entries.writeUInt32LE(offset, at + KEY_BYTES + 4);
    entries.writeUInt32LE(bytes.length, at + KEY_BYTES + 8);
    pending.push(bytes);
    offset += bytes.length;
    if (offset >= FRAME_BYTES) endFrame();
  }
  endFrame();
  const segment = Buffer.concat(frames);
  const header: Header = {
    segmentSha256: sha256Hex(segment),
    segmentBytes: segment.length,
    rows: lines.length,
    frameBytes: frames.map((frame) => frame.length),
  };
  const headerBytes = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(headerBytes.length);
  const body = Buffer.concat([MAGIC, length, headerBytes, entries]);
  return { segment, index: Buffer.concat([body, Buffer.from(sha256Hex(body), 'hex')]) };
}

export function keyPrefix(key: string): Buffer {
  return Buffer.from(key.slice(0, KEY_BYTES * 2), 'hex');
}

/** Where an answer lies inside its segment. */
export interface LineAddress {
  readonly frame: number;
  readonly offset: number;
  readonly bytes: number;
}

/** The key index of one segment, kept as the bytes that were read (28 a row). */
export class SegmentIndex {
  readonly header: Header;
  readonly #entries: Buffer;
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
    this.#entries = body.subarray(entriesStart);
    if (this.#entries.length !== this.header.rows * ENTRY_BYTES)
      throw corrupt(`does not hold ${this.header.rows} rows`);
    let start = 0;
    this.#frameStarts = this.header.frameBytes.map((bytes) => (start += bytes) - bytes);
  }

  get rows(): number {
    return this.header.rows;
  }

  keyAt(row: number): Buffer {
    return this.#entries.subarray(row * ENTRY_BYTES, row * ENTRY_BYTES + KEY_BYTES);
  }

  addressAt(row: number): LineAddress {
    const at = row * ENTRY_BYTES + KEY_BYTES;
    return {
      frame: this.#entries.readUInt32LE(at),
      offset: this.#entries.readUInt32LE(at + 4),
      bytes: this.#entries.readUInt32LE(at + 8),
    };
  }

  /** Throws BLOB_CORRUPT when the segment is not the one that this index was made for. */
  checkSegment(segment: Buffer, key: string): void {
    if (segment.length === this.header.segmentBytes && sha256Hex(segment) === this.header.segmentSha256)
      return;
    throw new SecpiError('BLOB_CORRUPT', `The answers in ${key} do not match their hash.`, {
      remedy: 'Restore the object, or delete it with its key index (.idx): its answers are then paid again.',
    });
  }

  /** The uncompressed lines of one frame. */
  frameOf(segment: Buffer, frame: number, key: string): Buffer {
    const start = this.#frameStarts[frame];
    const bytes = this.header.frameBytes[frame];
    try {
      if (start === undefined || bytes === undefined) throw new RangeError(`there is no frame ${frame}`);
      return zstdDecompressSync(segment.subarray(start, start + bytes));
    } catch (error) {
      throw new SecpiError('BLOB_CORRUPT', `Frame ${frame} of ${key} cannot be read: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
}
