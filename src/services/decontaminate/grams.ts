/** Runs of n words as 64-bit hashes, rolled along a text, and a table of them in typed arrays. Pure. */
import { mix } from '../dataset/nearDuplicates/words.ts';
import type { WordHashes } from './words.ts';

const LOW_BASE = 0x01000193;
const HIGH_BASE = 0x9e3779b1;

/** Calls `visit` with the hash of each run of `size` words and the position behind it, in order, until it returns true. */
export function visitGrams(
  words: WordHashes,
  size: number,
  visit: (low: number, high: number, end: number) => boolean,
): void {
  const lowOut = power(LOW_BASE, size);
  const highOut = power(HIGH_BASE, size);
  let low = 0;
  let high = 0;
  for (let at = 0; at < words.length; at += 1) {
    low = (Math.imul(low, LOW_BASE) + (words.low[at] ?? 0)) | 0;
    high = (Math.imul(high, HIGH_BASE) + (words.high[at] ?? 0)) | 0;
    if (at >= size) {
      low = (low - Math.imul(words.low[at - size] ?? 0, lowOut)) | 0;
      high = (high - Math.imul(words.high[at - size] ?? 0, highOut)) | 0;
    }
    if (at >= size - 1 && visit(mix(low), mix(high), at + 1)) return;
  }
}

/** Number of the first text that holds a gram, by the gram's hash; open addressing, half full at most. */
export class GramTable {
  private readonly mask: number;
  private readonly low: Uint32Array;
  private readonly high: Uint32Array;
  /** Number + 1; 0 is an empty slot. */
  private readonly owner: Uint32Array;

  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(16, capacity * 2)));
    this.mask = slots - 1;
    this.low = new Uint32Array(slots);
    this.high = new Uint32Array(slots);
    this.owner = new Uint32Array(slots);
  }

  /** Keeps the first owner. */
  add(low: number, high: number, owner: number): void {
    const slot = this.slotOf(low, high);
    if (this.owner[slot] !== 0) return;
    this.low[slot] = low;
    this.high[slot] = high;
    this.owner[slot] = owner + 1;
  }

  /** The owner, or -1. */
  find(low: number, high: number): number {
    return (this.owner[this.slotOf(low, high)] ?? 0) - 1;
  }

  private slotOf(low: number, high: number): number {
    let slot = low & this.mask;
    while (this.owner[slot] !== 0 && (this.low[slot] !== low >>> 0 || this.high[slot] !== high >>> 0)) {
      slot = (slot + 1) & this.mask;
    }
    return slot;
  }
}

/** Both hashes as one number of 53 bits, for maps that are looked up rarely. */
export function gramKey(low: number, high: number): number {
  return (low >>> 0) * 0x200000 + (high >>> 11);
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i += 1) result = Math.imul(result, base);
  return result;
}
