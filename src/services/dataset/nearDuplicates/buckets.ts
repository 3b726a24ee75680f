/** Rows that share a band, one band at a time; within a bucket each row is compared with its representatives. */
import type { Breath } from '../breath.ts';
import type { Pass } from './banding.ts';
import { PERMUTATIONS, similarity } from './minHash.ts';
import type { SignatureFile } from './signatureFile.ts';
import { createKeySorter } from './sortByKey.ts';

/** A bucket of m rows costs at most 32 m comparisons, however alike a dataset is. */
const MAX_REPRESENTATIVES = 32;

export interface BucketVisitor {
  /** True where comparing the two would tell nothing new. */
  isSettled(earlier: number, later: number): boolean;
  compared(earlier: number, later: number, alike: number): void;
  /** After each band. */
  onBand(band: number): void;
}

export interface BucketReader {
  visit(pass: Pass, breath: Breath, visitor: BucketVisitor): Promise<void>;
}

export function createBucketReader(file: SignatureFile): BucketReader {
  const keys = new Uint32Array(file.rows);
  const comparable = comparableRows(file);
  const sorter = createKeySorter(comparable.length);
  const representatives = new Uint32Array(MAX_REPRESENTATIVES);
  const signatures = new Uint8Array(MAX_REPRESENTATIVES * PERMUTATIONS);
  const own = new Uint8Array(PERMUTATIONS);

  async function visitBucket(
    rows: Uint32Array,
    settledFrom: number,
    breath: Breath,
    visitor: BucketVisitor,
  ): Promise<void> {
    let count = 0;
    for (const row of rows) {
      let isSettled = false;
      let isRead = false;
      for (let index = 0; index < count && !isSettled; index += 1) {
        const earlier = representatives[index] ?? 0;
        isSettled = visitor.isSettled(earlier, row);
        if (isSettled) break;
        if (!isRead) file.readSignature(row, own, 0);
        isRead = true;
        const alike = similarity(signatures, own, index * PERMUTATIONS);
        visitor.compared(earlier, row, alike);
        isSettled = alike >= settledFrom;
      }
      if (!isSettled && count < MAX_REPRESENTATIVES) {
        representatives[count] = row;
        file.readSignature(row, signatures, count * PERMUTATIONS);
        count += 1;
      }
      if (breath.due()) await breath.take();
    }
  }

  return {
    async visit({ banding, firstBand, settledFrom }, breath, visitor) {
      for (let band = firstBand; band < firstBand + banding.bands; band += 1) {
        await file.readBand(band, keys);
        const sorted = await sorter.sort(comparable, keys, breath);
        for (let start = 0; start < sorted.length;) {
          const key = keys[sorted[start] ?? 0];
          let end = start + 1;
          while (end < sorted.length && keys[sorted[end] ?? 0] === key) end += 1;
          if (end - start > 1) await visitBucket(sorted.subarray(start, end), settledFrom, breath, visitor);
          start = end;
        }
        visitor.onBand(band);
        await breath.take();
      }
    },
  };
}

function comparableRows(file: SignatureFile): Uint32Array {
  const rows = new Uint32Array(file.rows);
  let count = 0;
  for (let row = 0; row < file.rows; row += 1) {
    if (!file.isComparable(row)) continue;
    rows[count] = row;
    count += 1;
  }
  return rows.subarray(0, count);
}
