/** The segments of one space in the object store: published, listed, and read answer by answer. */
import { SecpiError } from '../../../contract/errors.ts';
import { sha256Hex } from '../../store/hash.ts';
import { answersPrefix } from '../../store/keys.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { mapLimit } from '../../store/parallel.ts';
import { decodeAnswer, type LedgerAnswer } from './answer.ts';
import { KeyIndex, type KeyLocation } from './keyIndex.ts';
import { LruCache } from './lru.ts';
import { encodeSegment, SegmentIndex, type SegmentLine } from './segment.ts';

/** What the ledger needs of an object store. */
export type AnswerObjects = Pick<ObjectStore, 'get' | 'putIfAbsent' | 'list'>;

const SEGMENT_SUFFIX = '.jsonl.zst';
const INDEX_SUFFIX = '.idx';
const PARALLEL_READS = 16;
const CACHED_SEGMENT_BYTES = 32 * 1024 * 1024;
const CACHED_FRAME_BYTES = 16 * 1024 * 1024;

export class SegmentStore {
  readonly index = new KeyIndex();
  readonly #objects: AnswerObjects;
  readonly #prefix: string;
  readonly #segments = new LruCache<Buffer>(CACHED_SEGMENT_BYTES, (bytes) => bytes.length);
  readonly #frames = new LruCache<Buffer>(CACHED_FRAME_BYTES, (bytes) => bytes.length);

  constructor(objects: AnswerObjects, space: string) {
    this.#objects = objects;
    this.#prefix = answersPrefix(space);
  }

  /**
   * Writes a segment and its key index; doing it again with the same lines changes nothing. The index goes first, and
   * counts only once its segment is there: so a listed segment always has its index.
   */
  async publish(journalName: string, lines: readonly SegmentLine[]): Promise<void> {
    const { segment, index } = encodeSegment(lines);
    const name = `${journalName}-${sha256Hex(segment).slice(0, 12)}`;
    for (const [suffix, bytes] of [
      [INDEX_SUFFIX, index],
      [SEGMENT_SUFFIX, segment],
    ] as const) {
      const key = this.#prefix + name + suffix;
      if ((await this.#objects.putIfAbsent(key, bytes)) === 'conflict')
        throw corrupt(key, 'holds other bytes than its name says');
    }
    this.index.add({ name, index: new SegmentIndex(index, this.#prefix + name + INDEX_SUFFIX) });
  }

  /** Loads the key indexes of segments that appeared since. One listing (1,000 objects a request) when none did. */
  async refresh(): Promise<void> {
    const fresh: string[] = [];
    for await (const { key } of this.#objects.list(this.#prefix)) {
      if (!key.endsWith(SEGMENT_SUFFIX)) continue;
      const name = key.slice(this.#prefix.length, -SEGMENT_SUFFIX.length);
      if (!this.index.has(name)) fresh.push(name);
    }
    await mapLimit(fresh, PARALLEL_READS, async (name) => {
      const key = this.#prefix + name + INDEX_SUFFIX;
      const object = await this.#objects.get(key);
      if (object === null) throw missing(key);
      this.index.add({ name, index: new SegmentIndex(object.bytes, key) });
    });
  }

  async read(location: KeyLocation, key: string): Promise<LedgerAnswer> {
    const { segment, row } = location;
    const address = segment.index.addressAt(row);
    const segmentKey = this.#prefix + segment.name + SEGMENT_SUFFIX;
    const frame = await this.#frames.get(`${segment.name}/${address.frame}`, async () =>
      segment.index.frameOf(await this.#segmentBytes(segmentKey, segment.index), address.frame, segmentKey),
    );
    const line = frame.subarray(address.offset, address.offset + address.bytes).toString();
    const answer = decodeAnswer(line, `Row ${row} of ${segmentKey}`);
    if (answer.key !== key) throw corrupt(segmentKey, `has another key in row ${row} than its index says`);
    return answer;
  }

  #segmentBytes(key: string, index: SegmentIndex): Promise<Buffer> {
    return this.#segments.get(key, async () => {
      const object = await this.#objects.get(key);
      if (object === null) throw missing(key);
      index.checkSegment(object.bytes, key);
      return object.bytes;
    });
  }
}

function corrupt(key: string, problem: string): SecpiError {
  return new SecpiError('BLOB_CORRUPT', `${key} ${problem}.`, {
    remedy:
      'Restore the object, or delete the segment with its key index (.idx): its answers are then paid again.',
  });
}

function missing(key: string): SecpiError {
  return new SecpiError('BLOB_MISSING', `${key} is gone from the store.`, {
    remedy:
      'Restore the object, or delete what is left of the segment (.jsonl.zst and .idx): its answers are then paid again.',
  });
}
