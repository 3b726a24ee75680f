/** Groups of near-duplicates, and which of their rows go. See DESIGN.md beside this file. */
import type { Breath } from '../breath.ts';
import { chooseBanding, type Pass } from './banding.ts';
import { createBucketReader } from './buckets.ts';
import { PERMUTATIONS, similarity } from './minHash.ts';
import type { SignatureFile } from './signatureFile.ts';
import { createUnionFind, type UnionFind } from './unionFind.ts';

export interface Thresholds {
  /** Estimated Jaccard similarity from which only the first row stays; 1 removes nothing. */
  readonly removeFrom: number;
  readonly groupFrom: number;
}

/** Rows that would be removed are looked for first, in narrow buckets; then rows of one group, in wide ones. */
export function planPasses({ removeFrom, groupFrom }: Thresholds): Pass[] {
  const thresholds = removeFrom < 1 ? [...new Set([removeFrom, groupFrom])] : [groupFrom];
  let firstBand = 0;
  return thresholds.map((settledFrom) => {
    const banding = chooseBanding(settledFrom);
    const pass = { banding, firstBand, settledFrom };
    firstBand += banding.bands;
    return pass;
  });
}

export interface NearDuplicates {
  /** The first row of the row's group; it is never removed. */
  groupOf(row: number): number;
  /** The kept earlier row that this one is too similar to; null where it stays. */
  removedFor(row: number): { readonly row: number; readonly similarity: number } | null;
}

/** Earlier rows remembered for each row as near-duplicates of it. */
const PARTNERS = 4;
const NONE = 0xffffffff;

/**
 * Memory: 42 bytes a row while it works, 8 after, whatever the rows hold. Deterministic: rows are taken in order
 * everywhere.
 */
export async function findNearDuplicates(
  file: SignatureFile,
  passes: readonly Pass[],
  thresholds: Thresholds,
  breath: Breath,
  onBand?: (done: number, all: number) => void,
): Promise<NearDuplicates> {
  const groups = createUnionFind(file.rows);
  // Apart from what the result needs, nothing outlives these two calls.
  const partners = await comparePasses(file, passes, thresholds, groups, breath, onBand);
  const keepers = await chooseKeepers(file, partners, thresholds.removeFrom, breath);
  const compare = createComparison(file);
  return {
    groupOf: (row) => groups.find(row),
    removedFor(row) {
      const keeper = keepers[row] ?? NONE;
      return keeper === NONE ? null : { row: keeper, similarity: compare(keeper, row) };
    },
  };
}

/** Unites alike rows in `groups`, and returns the earlier near-duplicates of each row, PARTNERS places a row. */
async function comparePasses(
  file: SignatureFile,
  passes: readonly Pass[],
  { removeFrom, groupFrom }: Thresholds,
  groups: UnionFind,
  breath: Breath,
  onBand?: (done: number, all: number) => void,
): Promise<Uint32Array> {
  const partners = new Uint32Array(PARTNERS * file.rows).fill(NONE);
  const buckets = createBucketReader(file);
  const bands = passes.reduce((sum, { banding }) => sum + banding.bands, 0);

  function remember(later: number, earlier: number): void {
    for (let slot = PARTNERS * later; slot < PARTNERS * (later + 1); slot += 1) {
      if (partners[slot] === earlier) return;
      if (partners[slot] !== NONE) continue;
      partners[slot] = earlier;
      return;
    }
  }
  function isRemembered(later: number, earlier: number): boolean {
    for (let slot = PARTNERS * later; slot < PARTNERS * (later + 1); slot += 1)
      if (partners[slot] === earlier) return true;
    return false;
  }

  for (const pass of passes) {
    await buckets.visit(pass, breath, {
      onBand: (band) => onBand?.(band + 1, bands),
      isSettled: (earlier, later) =>
        pass.settledFrom < removeFrom
          ? groups.find(earlier) === groups.find(later)
          : isRemembered(later, earlier),
      compared(earlier, later, alike) {
        if (alike >= groupFrom) groups.union(earlier, later);
        if (alike >= removeFrom && removeFrom < 1) remember(later, earlier);
      },
    });
  }
  return partners;
}

/** For each row the earlier, kept one for which it goes; NONE where it stays. */
async function chooseKeepers(
  file: SignatureFile,
  partners: Uint32Array,
  removeFrom: number,
  breath: Breath,
): Promise<Uint32Array> {
  const keepers = new Uint32Array(file.rows).fill(NONE);
  const compare = createComparison(file);
  /** A partner that stays, or the row for which a partner went, where that one is similar enough as well. */
  function keeperOf(row: number): number {
    let indirect = NONE;
    for (let slot = PARTNERS * row; slot < PARTNERS * (row + 1); slot += 1) {
      const partner = partners[slot] ?? NONE;
      if (partner === NONE) break;
      const keeper = keepers[partner] ?? NONE;
      if (keeper === NONE) return partner;
      if (indirect === NONE && compare(keeper, row) >= removeFrom) indirect = keeper;
    }
    return indirect;
  }
  for (let row = 0; row < file.rows; row += 1) {
    keepers[row] = keeperOf(row);
    if (breath.due()) await breath.take();
  }
  return keepers;
}

function createComparison(file: SignatureFile): (one: number, other: number) => number {
  const left = new Uint8Array(PERMUTATIONS);
  const right = new Uint8Array(PERMUTATIONS);
  return (one, other) => {
    file.readSignature(one, left, 0);
    file.readSignature(other, right, 0);
    return similarity(left, right);
  };
}
