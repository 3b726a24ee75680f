/** Reads frames of segments by range. Neighbours are fetched ahead, the further the longer they are asked for in order. */
import { SecpiError } from '../../../contract/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { IndexedSegment } from './keyIndex.ts';
import { LruCache } from './lru.ts';
import { linesOfFrame } from './segmentIndex.ts';

/** Uncompressed. */
const CACHED_BYTES = 16 * 1024 * 1024;
/** Of one request, compressed. */
const MAX_RANGE_BYTES = 512 * 1024;
const MAX_RANGE_FRAMES = 16;

interface Ahead {
  /** The frame after the last range, and after those that were there already. */
  readonly next: number;
  readonly frames: number;
}

export class FrameReader {
  readonly #objects: Pick<ObjectStore, 'getRange'>;
  readonly #keyOf: (segment: IndexedSegment) => string;
  readonly #frames = new LruCache<Buffer>(CACHED_BYTES, ({ length }) => length);
  readonly #ahead = new Map<string, Ahead>();
  #bytesRead = 0;

  constructor(objects: Pick<ObjectStore, 'getRange'>, keyOf: (segment: IndexedSegment) => string) {
    this.#objects = objects;
    this.#keyOf = keyOf;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The lines of a frame. Throws BLOB_CORRUPT, and BLOB_MISSING when the segment is gone. */
  frame(segment: IndexedSegment, frame: number): Promise<Buffer> {
    return this.#frames.get(idOf(segment, frame), () => this.#load(segment, frame));
  }

  /** The lines of a frame, out of `bytes` that begin at `start` of the segment. */
  decode(segment: IndexedSegment, frame: number, bytes: Buffer, start = 0): Promise<Buffer> {
    const range = segment.index.rangeOf(frame);
    const compressed = bytes.subarray(range.start - start, range.start - start + range.bytes);
    return linesOfFrame(compressed, `Frame ${frame} of ${this.#keyOf(segment)}`);
  }

  #load(segment: IndexedSegment, frame: number): Promise<Buffer> {
    const end = this.#endOfRange(segment, frame);
    const { start } = segment.index.rangeOf(frame);
    const range = this.#read(segment, start, endOf(segment, end - 1) - start);
    const linesOf = async (at: number): Promise<Buffer> => this.decode(segment, at, await range, start);
    for (let at = frame + 1; at < end; at += 1) {
      // A failure is told to whoever asks for that frame; it is not kept.
      this.#frames.get(idOf(segment, at), () => linesOf(at)).catch(() => undefined);
    }
    return linesOf(frame);
  }

  /** Doubles from one range to the next as long as each begins where the last ended. */
  #endOfRange(segment: IndexedSegment, frame: number): number {
    const { index, name } = segment;
    const last = this.#ahead.get(name);
    const frames = last?.next === frame ? Math.min(last.frames * 2, MAX_RANGE_FRAMES) : 1;
    const { start } = index.rangeOf(frame);
    let end = frame + 1;
    while (
      end < Math.min(frame + frames, index.frames) &&
      !this.#frames.has(idOf(segment, end)) &&
      endOf(segment, end) - start <= MAX_RANGE_BYTES
    )
      end += 1;
    let next = end;
    while (next < index.frames && this.#frames.has(idOf(segment, next))) next += 1;
    this.#ahead.set(name, { next, frames });
    return end;
  }

  async #read(segment: IndexedSegment, start: number, bytes: number): Promise<Buffer> {
    const key = this.#keyOf(segment);
    const range = await this.#objects.getRange(key, start, bytes);
    if (range === null) throw segmentMissing(key);
    this.#bytesRead += range.length;
    if (range.length !== bytes) throw segmentCorrupt(key, 'is shorter than its index says');
    return range;
  }
}

const idOf = ({ name }: IndexedSegment, frame: number): string => `${name}/${frame}`;

function endOf({ index }: IndexedSegment, frame: number): number {
  const { start, bytes } = index.rangeOf(frame);
  return start + bytes;
}

export function segmentCorrupt(key: string, problem: string): SecpiError {
  return new SecpiError('BLOB_CORRUPT', `${key} ${problem}.`, {
    remedy:
      'Restore the object, or delete the segment with its key index (.idx): its answers are then paid again.',
  });
}

export function segmentMissing(key: string): SecpiError {
  return new SecpiError('BLOB_MISSING', `${key} is gone from the store.`, {
    remedy:
      'Restore the object, or delete what is left of the segment (.jsonl.zst and .idx): its answers are then paid again.',
  });
}
