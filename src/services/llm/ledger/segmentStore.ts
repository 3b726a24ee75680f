/** The segments of one space in the object store: published, listed, and read answer by answer. */
import { SecpiError } from '../../../contract/errors.ts';
import { sha256Hex } from '../../store/hash.ts';
import { answersPrefix } from '../../store/keys.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { mapLimit } from '../../store/parallel.ts';
import { decodeAnswer, keyOfLine, type LedgerAnswer } from './answer.ts';
import { Coalesced } from './coalesced.ts';
import { FrameReader, segmentCorrupt, segmentMissing } from './frameReader.ts';
import { KeyIndex, type IndexedSegment, type KeyLocation } from './keyIndex.ts';
import { encodeSegment, type EncodedSegment, type SegmentLine } from './segment.ts';
import { SegmentIndex } from './segmentIndex.ts';

/** What the ledger needs of an object store. */
export type AnswerObjects = Pick<ObjectStore, 'get' | 'getRange' | 'putIfAbsent' | 'list' | 'delete'>;

const SEGMENT_SUFFIX = '.jsonl.zst';
const INDEX_SUFFIX = '.idx';
const PARALLEL_READS = 16;

export class SegmentStore {
  readonly index = new KeyIndex();
  readonly #objects: AnswerObjects;
  readonly #prefix: string;
  readonly #frames: FrameReader;
  readonly #refresh = new Coalesced(() => this.#loadAll());
  #bytesRead = 0;

  constructor(objects: AnswerObjects, space: string) {
    this.#objects = objects;
    this.#prefix = answersPrefix(space);
    this.#frames = new FrameReader(objects, ({ name }) => this.#keyOf(name, SEGMENT_SUFFIX));
  }

  /** Of key indexes and answers, as they came from the store. */
  get bytesRead(): number {
    return this.#bytesRead + this.#frames.bytesRead;
  }

  /** Writes what a journal holds; doing it again with the same lines changes nothing. */
  async publish(journalName: string, lines: readonly SegmentLine[]): Promise<void> {
    const encoded = await encodeSegment(lines);
    const name = `${journalName}-${sha256Hex(encoded.segment).slice(0, 12)}`;
    if (!this.index.has(name)) await this.write(name, encoded);
  }

  /**
   * The index goes first, and counts only once its segment is there: so a listed segment always has its index.
   * Deleting goes the other way round.
   */
  async write(name: string, { segment, index }: EncodedSegment): Promise<void> {
    for (const [suffix, bytes] of [
      [INDEX_SUFFIX, index],
      [SEGMENT_SUFFIX, segment],
    ] as const) {
      const key = this.#keyOf(name, suffix);
      if ((await this.#objects.putIfAbsent(key, bytes)) === 'conflict')
        throw segmentCorrupt(key, 'holds other bytes than its name says');
    }
    this.index.add({ name, index: new SegmentIndex(index, this.#keyOf(name, INDEX_SUFFIX)) });
  }

  async delete(name: string): Promise<void> {
    await this.#objects.delete(this.#keyOf(name, SEGMENT_SUFFIX));
    await this.#objects.delete(this.#keyOf(name, INDEX_SUFFIX));
  }

  /** Loads the key indexes of segments that appeared since. One listing (1,000 objects a request) when none did. */
  refresh(): Promise<void> {
    return this.#refresh.run();
  }

  /** The names of which a segment or at least an index is there, in order. */
  async list(): Promise<{ readonly name: string; readonly published: boolean }[]> {
    const published = new Map<string, boolean>();
    for await (const { key } of this.#objects.list(this.#prefix)) {
      const suffix = [SEGMENT_SUFFIX, INDEX_SUFFIX].find((end) => key.endsWith(end));
      if (suffix === undefined) continue;
      const name = key.slice(this.#prefix.length, -suffix.length);
      published.set(name, published.get(name) === true || suffix === SEGMENT_SUFFIX);
    }
    return [...published].map(([name, isPublished]) => ({ name, published: isPublished }));
  }

  /** Null when the key is in no segment. A segment that was merged into another since is followed there. */
  async get(key: string): Promise<LedgerAnswer | null> {
    let location = this.index.find(key);
    for (;;) {
      if (location === null) return null;
      try {
        return await this.#read(location, key);
      } catch (error) {
        if (!isMissing(error)) throw error;
        await this.refresh();
        const moved = this.index.find(key);
        if (moved?.segment.name === location.segment.name) throw error;
        location = moved;
      }
    }
  }

  /** The whole segment, checked against the hash in its index, line by line in order. */
  async linesOf(segment: IndexedSegment): Promise<SegmentLine[]> {
    const key = this.#keyOf(segment.name, SEGMENT_SUFFIX);
    const bytes = await this.#readWhole(segment.name, segment.index);
    const frames = await mapLimit(
      Array.from({ length: segment.index.frames }, (_, frame) => frame),
      PARALLEL_READS,
      (frame) => this.#frames.decode(segment, frame, bytes),
    );
    return Array.from({ length: segment.index.rows }, (_, row) => {
      const address = segment.index.addressAt(row);
      const line = frames[address.frame]?.subarray(address.offset, address.offset + address.bytes);
      if (line === undefined) throw segmentCorrupt(key, `has no frame ${address.frame}`);
      return { key: keyOfLine(line) ?? decodeAnswer(line, `Row ${row} of ${key}`).key, bytes: line };
    });
  }

  /** Reads segment and index back and checks their hashes: throws BLOB_CORRUPT or BLOB_MISSING. */
  async verify({ name }: IndexedSegment): Promise<void> {
    const index = await this.#readIndex(name);
    if (index === null) throw segmentMissing(this.#keyOf(name, INDEX_SUFFIX));
    await this.#readWhole(name, index);
  }

  async #readWhole(name: string, index: SegmentIndex): Promise<Buffer> {
    const key = this.#keyOf(name, SEGMENT_SUFFIX);
    const object = await this.#objects.get(key);
    if (object === null) throw segmentMissing(key);
    this.#bytesRead += object.bytes.length;
    index.checkSegment(object.bytes, key);
    return object.bytes;
  }

  async #loadAll(): Promise<void> {
    while (!(await this.#loadListed()));
  }

  /** False when a segment was merged into another between the listing and the reading: that other is to be listed. */
  async #loadListed(): Promise<boolean> {
    const listed = (await this.list()).filter(({ published }) => published).map(({ name }) => name);
    const fresh = listed.filter((name) => !this.index.has(name));
    let whole = true;
    // Merged segments sort last and spare those that they hold.
    await mapLimit(fresh.reverse(), PARALLEL_READS, async (name) => {
      if (this.index.has(name)) return;
      const index = await this.#readIndex(name);
      if (index !== null) this.index.add({ name, index });
      else if (await this.#isPublished(name)) throw segmentMissing(this.#keyOf(name, INDEX_SUFFIX));
      else whole = false;
    });
    return whole;
  }

  async #readIndex(name: string): Promise<SegmentIndex | null> {
    const key = this.#keyOf(name, INDEX_SUFFIX);
    const object = await this.#objects.get(key);
    if (object === null) return null;
    this.#bytesRead += object.bytes.length;
    return new SegmentIndex(object.bytes, key);
  }

  async #isPublished(name: string): Promise<boolean> {
    for await (const _ of this.#objects.list(this.#keyOf(name, SEGMENT_SUFFIX))) return true;
    return false;
  }

  async #read({ segment, row }: KeyLocation, key: string): Promise<LedgerAnswer> {
    const address = segment.index.addressAt(row);
    const frame = await this.#frames.frame(segment, address.frame);
    const where = this.#keyOf(segment.name, SEGMENT_SUFFIX);
    const line = frame.subarray(address.offset, address.offset + address.bytes);
    const answer = decodeAnswer(line, `Row ${row} of ${where}`);
    if (answer.key !== key) throw segmentCorrupt(where, `has another key in row ${row} than its index says`);
    return answer;
  }

  #keyOf(name: string, suffix: string): string {
    return this.#prefix + name + suffix;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof SecpiError && error.code === 'BLOB_MISSING';
}
