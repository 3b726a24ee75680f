/**
 * Texts that are alike as wholes: Jaccard's similarity of their word 5-grams. A one-permutation MinHash of 16 bins finds
 * the candidates: each filled bin of two texts that are 0.8 alike holds the same minimum with a probability of 0.8, and one
 * such bin is enough. Their similarity is then counted, not estimated.
 */
import { gramKey, GramTable, visitGrams } from './grams.ts';
import type { WordHashes } from './words.ts';

export const SHINGLE_WORDS = 5;
const BINS = 16;

export interface Alike {
  readonly text: number;
  /** Jaccard's, 0 to 1. */
  readonly similarity: number;
}

export class SimilarTexts {
  private readonly shingles: Float64Array[] = [];
  private readonly textsByMinimum = new Map<number, number[]>();
  private readonly minima: GramTable;

  constructor(texts: readonly WordHashes[]) {
    this.minima = new GramTable(texts.length * BINS);
    for (const [number, words] of texts.entries()) {
      this.shingles.push(shinglesOf(words));
      visitMinima(words, (low, high) => {
        this.minima.add(low, high, number);
        const key = gramKey(low, high);
        this.textsByMinimum.set(key, [...(this.textsByMinimum.get(key) ?? []), number]);
      });
    }
  }

  /** The most similar text, if at least `threshold` alike. */
  find(words: WordHashes, threshold: number): Alike | null {
    const candidates = new Set<number>();
    visitMinima(words, (low, high) => {
      if (this.minima.find(low, high) === -1) return;
      for (const text of this.textsByMinimum.get(gramKey(low, high)) ?? []) candidates.add(text);
    });
    if (candidates.size === 0) return null;
    const own = shinglesOf(words);
    let most: Alike | null = null;
    for (const text of candidates) {
      const similarity = jaccard(own, this.shingles[text] ?? NONE);
      if (similarity >= threshold && similarity > (most?.similarity ?? 0)) most = { text, similarity };
    }
    return most;
  }
}

const NONE = new Float64Array(0);

/** The distinct shingles in ascending order. */
function shinglesOf(words: WordHashes): Float64Array {
  const shingles = new Set<number>();
  visitGrams(words, SHINGLE_WORDS, (low, high) => {
    shingles.add(gramKey(low, high));
    return false;
  });
  return Float64Array.from(shingles).sort();
}

/** The least shingle of each bin; bins that no shingle falls into are passed over. */
function visitMinima(words: WordHashes, visit: (low: number, high: number) => void): void {
  const lows = new Float64Array(BINS).fill(Infinity);
  const highs = new Uint32Array(BINS);
  visitGrams(words, SHINGLE_WORDS, (low, high) => {
    const bin = high % BINS;
    if (low < (lows[bin] ?? 0)) {
      lows[bin] = low;
      highs[bin] = high;
    }
    return false;
  });
  for (let bin = 0; bin < BINS; bin += 1) {
    const low = lows[bin] ?? Infinity;
    if (low !== Infinity) visit(low, highs[bin] ?? 0);
  }
}

/** Of two ascending sets. */
function jaccard(left: Float64Array, right: Float64Array): number {
  let common = 0;
  for (let l = 0, r = 0; l < left.length && r < right.length;) {
    const difference = (left[l] ?? 0) - (right[r] ?? 0);
    if (difference === 0) common += 1;
    if (difference <= 0) l += 1;
    if (difference >= 0) r += 1;
  }
  const union = left.length + right.length - common;
  return union === 0 ? 0 : common / union;
}
