/** Which rows are compared at all: those that agree in all minima of at least one band. */
import { PERMUTATIONS } from './minHash.ts';
import { mix } from './words.ts';

export interface Banding {
  readonly bands: number;
  /** Minima of one band. */
  readonly width: number;
}

/** One way through all rows, band by band. */
export interface Pass {
  readonly banding: Banding;
  /** Place of its first band among the bands of all passes. */
  readonly firstBand: number;
  /** A row at least this similar to a representative of its bucket is compared with no more of them. */
  readonly settledFrom: number;
}

/** Share of the pairs exactly at the threshold that must become candidates; of more similar ones it is larger. */
const MIN_RECALL = 0.98;
/** Of 128 minima; wider bands would save nothing more. */
const MAX_WIDTH = 32;

/**
 * The probability that two rows of similarity s share a band is 1 − (1 − s^width)^bands (Leskovec, Rajaraman, Ullman,
 * "Mining of Massive Datasets", 3.4.2). The widest bands that keep MIN_RECALL at the threshold are taken, since they
 * make the fewest false candidates: 32 × 4 for 0.6, 16 × 8 for 0.85.
 */
export function chooseBanding(threshold: number): Banding {
  for (let width = MAX_WIDTH; width > 1; width -= 1) {
    const bands = Math.floor(PERMUTATIONS / width);
    if (candidateProbability(threshold, { bands, width }) >= MIN_RECALL) return { bands, width };
  }
  return { bands: PERMUTATIONS, width: 1 };
}

export function candidateProbability(similarity: number, { bands, width }: Banding): number {
  return 1 - (1 - similarity ** width) ** bands;
}

/** The minima of a band as one number. Unequal bands of equal key are harmless: candidates are verified. */
export function bandKey(minima: Uint32Array, band: number, { width }: Banding): number {
  let key = band;
  for (let index = band * width; index < (band + 1) * width; index += 1)
    key = mix(Math.imul(key, 0x9e3779b1) ^ (minima[index] ?? 0));
  return key;
}
