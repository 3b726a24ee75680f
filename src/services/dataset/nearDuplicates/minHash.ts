/**
 * MinHash signatures of texts as sets of word 5-grams. The share of equal minima estimates Jaccard's similarity
 * (Broder, "On the resemblance and containment of documents", 1997).
 */
import { createWordReader, mix } from './words.ts';

/** The standard error of an estimate s is √(s(1−s)/128): 0.043 at 0.6, 0.032 at 0.85; twice that is below 0.1. */
export const PERMUTATIONS = 128;
export const SHINGLE_WORDS = 5;
/** Beyond this, a text is compared by its beginning; bounds the time of one signature to tens of milliseconds. */
const MAX_WORDS = 100_000;

export interface MinHasher {
  /** The minima, valid until the next call; null for a text of fewer than five words, which has no 5-gram. */
  sign(text: string): Uint32Array | null;
}

export function createMinHasher(): MinHasher {
  const reader = createWordReader(MAX_WORDS);
  const { multipliers, masks } = permutations();
  const minima = new Uint32Array(PERMUTATIONS);
  return {
    sign(text) {
      const words = reader.read(text);
      if (words.length < SHINGLE_WORDS) return null;
      minima.fill(0xffffffff);
      for (let at = 0; at + SHINGLE_WORDS <= words.length; at += 1) {
        const shingle = hashOf(words, at);
        for (let index = 0; index < PERMUTATIONS; index += 1) {
          const value = Math.imul(shingle ^ (masks[index] ?? 0), multipliers[index] ?? 1) >>> 0;
          if (value < (minima[index] ?? 0)) minima[index] = value;
        }
      }
      return minima;
    },
  };
}

/**
 * One byte a minimum is kept for comparing: two different minima agree in it with a probability of 1/256, which the
 * estimate takes into account (b-bit minwise hashing, Li and König 2010).
 */
export function writeBytes(minima: Uint32Array, into: Uint8Array, offset: number): void {
  for (let index = 0; index < PERMUTATIONS; index += 1) into[offset + index] = (minima[index] ?? 0) & 0xff;
}

/** Estimated Jaccard similarity, from 0 to 1, of two signatures of bytes. */
export function similarity(left: Uint8Array, right: Uint8Array, leftOffset = 0, rightOffset = 0): number {
  let equal = 0;
  for (let index = 0; index < PERMUTATIONS; index += 1)
    if (left[leftOffset + index] === right[rightOffset + index]) equal += 1;
  const byChance = 1 / 256;
  return Math.max(0, (equal / PERMUTATIONS - byChance) / (1 - byChance));
}

function hashOf(words: Uint32Array, at: number): number {
  let hash = 0;
  for (let word = 0; word < SHINGLE_WORDS; word += 1)
    hash = (Math.imul(hash, 0x9e3779b1) + (words[at + word] ?? 0)) | 0;
  return mix(hash);
}

/**
 * h(x) = (x xor mask)·multiplier mod 2³² with an odd multiplier is a permutation of the 32-bit numbers. Fixed, since
 * equal texts must have equal signatures on every machine.
 */
function permutations(): { multipliers: Int32Array; masks: Int32Array } {
  const multipliers = new Int32Array(PERMUTATIONS);
  const masks = new Int32Array(PERMUTATIONS);
  for (let index = 0; index < PERMUTATIONS; index += 1) {
    multipliers[index] = mix(2 * index + 1) | 1;
    masks[index] = mix(2 * index + 2);
  }
  return { multipliers, masks };
}
