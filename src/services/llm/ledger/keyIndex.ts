/**
 * Finds the row of a key over all segments: an open-addressing table of (segment, row) pairs, 8 bytes a slot, over
 * the key bytes that the segment indexes hold anyway. A million answers take about 45 MB in all.
 */
import { ENTRY_BYTES, keyPrefix, type SegmentIndex, type SegmentSource } from './segmentIndex.ts';

export interface IndexedSegment {
  /** A merged segment's name sorts after those of the segments that it holds. */
  readonly name: string;
  readonly index: SegmentIndex;
}

/** Where a row was published first. The lowest name wins where two hold the same key, then the first row. */
export interface RowOrigin {
  readonly name: string;
  readonly row: number;
}

export interface KeyLocation {
  readonly segment: IndexedSegment;
  readonly row: number;
}

const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.75;

export class KeyIndex {
  /** Pairs: segment number + 1 (0 is an empty slot), row. */
  #slots = new Uint32Array(FIRST_SLOTS * 2);
  #used = 0;
  #duplicates = 0;
  /** Null: its rows are all in a merged segment. */
  readonly #segments: (IndexedSegment | null)[] = [];
  readonly #numbers = new Map<string, number>();
  /** Names of segments as first published whose rows are in the table. */
  readonly #sources = new Set<string>();
  /** Of merged segments: what they hold. */
  readonly #merged = new Map<string, ReadonlySet<string>>();
  /** Merged segments that a later one holds, and the names that they held. */
  readonly #superseded = new Map<string, readonly string[]>();

  get keys(): number {
    return this.#used;
  }

  /** Rows whose key another segment, or an earlier line, holds too: paid twice. */
  get duplicates(): number {
    return this.#duplicates;
  }

  get segments(): readonly IndexedSegment[] {
    return this.#segments.filter((segment) => segment !== null);
  }

  /** True when its rows are in the table, by itself or in a merged segment. */
  has(name: string): boolean {
    return this.#numbers.has(name) || this.#sources.has(name) || this.#superseded.has(name);
  }

  /** The merged segment that holds all of its rows; null for a segment that is in use itself, or unknown. */
  successorOf(name: string): IndexedSegment | null {
    if (this.#numbers.has(name) || !this.has(name)) return null;
    return this.#segments[this.#numbers.get(this.#successorName(name) ?? '') ?? -1] ?? null;
  }

  /** Adding a segment again, or one whose rows a merged segment holds, does nothing. */
  add(segment: IndexedSegment): void {
    if (this.has(segment.name)) return;
    const sources = sourcesOf(segment);
    const names = sources.map(({ name }) => name);
    const isMerged = segment.index.header.sources !== undefined;
    if (isMerged) this.#superseded.set(segment.name, names);
    if (this.#successorName(segment.name) !== null) return;
    this.#superseded.delete(segment.name);
    const number = this.#segments.push(segment) - 1;
    this.#numbers.set(segment.name, number);
    this.#reserve(this.#used + segment.index.rows);
    let row = 0;
    for (const { name, rows } of sources) {
      const counted = this.#sources.has(name);
      for (let at = 0; at < rows; at += 1, row += 1) this.#insert(number, row, { name, row: at }, counted);
      this.#sources.add(name);
    }
    if (isMerged) this.#supersede(segment.name, names);
  }

  find(key: string): KeyLocation | null {
    return this.#locationIn(this.#slotOf(keyPrefix(key), 0));
  }

  /** Lets go of the segments whose rows are all in the merged one. */
  #supersede(merged: string, names: readonly string[]): void {
    const older = [...names, ...this.#merged.keys()];
    this.#merged.set(merged, new Set(names));
    for (const name of older) {
      const number = this.#numbers.get(name);
      const held = this.#merged.get(name);
      if (number === undefined || !this.#covers(merged, name, [...(held ?? [name])])) continue;
      this.#segments[number] = null;
      this.#numbers.delete(name);
      if (held === undefined) continue;
      this.#merged.delete(name);
      this.#superseded.set(name, [...held]);
    }
  }

  #successorName(name: string): string | null {
    const names = this.#superseded.get(name) ?? [name];
    for (const merged of this.#merged.keys()) if (this.#covers(merged, name, names)) return merged;
    return null;
  }

  /** Only what sorts after may take the place of another: so no two stand for each other, and a listing finds one. */
  #covers(merged: string, name: string, names: readonly string[]): boolean {
    const held = this.#merged.get(merged);
    return held !== undefined && name < merged && names.every((source) => held.has(source));
  }

  #insert(number: number, row: number, origin: RowOrigin, counted: boolean): void {
    const segment = this.#segments[number];
    if (segment === undefined || segment === null) return;
    const slot = this.#slotOf(segment.index.entries, row * ENTRY_BYTES);
    const present = this.#locationIn(slot);
    if (present === null) this.#used += 1;
    else if (!counted) this.#duplicates += 1;
    if (present !== null && !replaces(origin, segment.name, present)) return;
    this.#slots[slot * 2] = number + 1;
    this.#slots[slot * 2 + 1] = row;
  }

  /** The slot that holds the key at `at` of `bytes`, else the empty one where it belongs. Keys are hashes: they scatter. */
  #slotOf(bytes: Buffer, at: number): number {
    const mask = this.#slots.length / 2 - 1;
    let slot = bytes.readUInt32LE(at) & mask;
    for (;;) {
      const segment = this.#segments[(this.#slots[slot * 2] ?? 0) - 1];
      if (segment === undefined || segment === null) return slot;
      if (segment.index.holdsKey(this.#slots[slot * 2 + 1] ?? 0, bytes, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #locationIn(slot: number): KeyLocation | null {
    const segment = this.#segments[(this.#slots[slot * 2] ?? 0) - 1];
    const row = this.#slots[slot * 2 + 1];
    return segment === undefined || segment === null || row === undefined ? null : { segment, row };
  }

  #reserve(keys: number): void {
    let slots = this.#slots.length / 2;
    if (keys <= slots * MAX_LOAD) return;
    while (keys > slots * MAX_LOAD) slots *= 2;
    const old = this.#slots;
    this.#slots = new Uint32Array(slots * 2);
    for (let at = 0; at < old.length; at += 2) {
      const number = (old[at] ?? 0) - 1;
      const segment = this.#segments[number];
      const row = old[at + 1];
      if (segment === undefined || segment === null || row === undefined) continue;
      const slot = this.#slotOf(segment.index.entries, row * ENTRY_BYTES);
      this.#slots[slot * 2] = number + 1;
      this.#slots[slot * 2 + 1] = row;
    }
  }
}

export function sourcesOf({ name, index }: IndexedSegment): readonly SegmentSource[] {
  return index.header.sources ?? [{ name, rows: index.rows }];
}

export function originOf({ segment, row }: KeyLocation): RowOrigin {
  let left = row;
  for (const { name, rows } of sourcesOf(segment)) {
    if (left < rows) return { name, row: left };
    left -= rows;
  }
  return { name: segment.name, row };
}

/** The earlier origin wins; of the same row in two segments, the one in the later, merged segment. */
function replaces(origin: RowOrigin, segmentName: string, present: KeyLocation): boolean {
  const other = originOf(present);
  if (origin.name !== other.name) return origin.name < other.name;
  if (origin.row !== other.row) return origin.row < other.row;
  return segmentName > present.segment.name;
}
