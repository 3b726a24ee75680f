/**
 * Finds the row of a key over all segments: an open-addressing table of (segment, row) pairs, 8 bytes a slot, over
 * the key bytes that the segment indexes hold anyway. A million answers take about 45 MB in all.
 */
import { keyPrefix, type SegmentIndex } from './segment.ts';

export interface IndexedSegment {
  /** Sorts by time of writing; the lowest name wins where two segments hold the same key. */
  readonly name: string;
  readonly index: SegmentIndex;
}

export interface KeyLocation {
  readonly segment: IndexedSegment;
  readonly row: number;
}

const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.6;

export class KeyIndex {
  /** Pairs: segment number + 1 (0 is an empty slot), row. */
  #slots = new Uint32Array(FIRST_SLOTS * 2);
  #used = 0;
  #duplicates = 0;
  readonly #segments: IndexedSegment[] = [];
  readonly #names = new Set<string>();

  get keys(): number {
    return this.#used;
  }

  /** Rows whose key another segment, or an earlier line, holds too: paid twice. */
  get duplicates(): number {
    return this.#duplicates;
  }

  get segments(): number {
    return this.#segments.length;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Adding a segment again does nothing. */
  add(segment: IndexedSegment): void {
    if (this.#names.has(segment.name)) return;
    this.#names.add(segment.name);
    const number = this.#segments.push(segment) - 1;
    this.#reserve(this.#used + segment.index.rows);
    for (let row = 0; row < segment.index.rows; row += 1) this.#insert(number, row);
  }

  find(key: string): KeyLocation | null {
    const prefix = keyPrefix(key);
    return this.#locationIn(this.#slotOf(prefix));
  }

  #insert(number: number, row: number): void {
    const segment = this.#segments[number];
    if (segment === undefined) return;
    const slot = this.#slotOf(segment.index.keyAt(row));
    const present = this.#locationIn(slot);
    if (present === null) this.#used += 1;
    else this.#duplicates += 1;
    if (present !== null && !(segment.name < present.segment.name)) return;
    this.#slots[slot * 2] = number + 1;
    this.#slots[slot * 2 + 1] = row;
  }

  /** The slot that holds the key, else the empty one where it belongs. Keys are hashes: their first bytes scatter. */
  #slotOf(prefix: Buffer): number {
    const mask = this.#slots.length / 2 - 1;
    let slot = prefix.readUInt32LE(0) & mask;
    for (;;) {
      const location = this.#locationIn(slot);
      if (location === null || location.segment.index.keyAt(location.row).equals(prefix)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #locationIn(slot: number): KeyLocation | null {
    const segment = this.#segments[(this.#slots[slot * 2] ?? 0) - 1];
    const row = this.#slots[slot * 2 + 1];
    return segment === undefined || row === undefined ? null : { segment, row };
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
      if (segment === undefined || row === undefined) continue;
      const slot = this.#slotOf(segment.index.keyAt(row));
      this.#slots[slot * 2] = number + 1;
      this.#slots[slot * 2 + 1] = row;
    }
  }
}
