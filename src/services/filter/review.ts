/** A sample of the classifier's verdicts for people to look at, with its reasons: half of the kept, half of the dropped. */
import { filteredRowSchema, type FilteredRow } from '../../contract/rows.ts';
import type { Part } from '../../contract/refs.ts';
import { readRows, sha256Hex, writeRows, type Store } from '../store/index.ts';

export interface ReviewRow extends FilteredRow {
  readonly kept: boolean;
}

export interface ReviewRequest {
  readonly kept: readonly Part[];
  readonly dropped: readonly Part[];
  /** How many in all. */
  readonly rows: number;
  /** The same rows for the same seed. */
  readonly seed: string;
}

/** Drawn without replacement, every row with the same chance: those whose hash with the seed is lowest. */
export async function drawReview(
  store: Store,
  { kept, dropped, rows, seed }: ReviewRequest,
): Promise<Part[]> {
  if (rows === 0) return [];
  const half = Math.ceil(rows / 2);
  const drawn = [
    ...(await draw(store, kept, half, seed, true)),
    ...(await draw(store, dropped, rows - half, seed, false)),
  ].sort((left, right) => left.index - right.index);
  return await writeRows(store.blobs, drawn, { rowsPerPart: Math.max(1, drawn.length) });
}

async function draw(
  store: Store,
  parts: readonly Part[],
  count: number,
  seed: string,
  kept: boolean,
): Promise<ReviewRow[]> {
  let lowest: { rank: string; row: FilteredRow }[] = [];
  const shrink = (): void => {
    lowest = lowest.sort((left, right) => (left.rank < right.rank ? -1 : 1)).slice(0, count);
  };
  for await (const row of readRows(store.blobs, parts, {}, filteredRowSchema)) {
    lowest.push({ rank: sha256Hex(`${seed}\n${row.id}`), row });
    if (lowest.length > 2 * count + 64) shrink();
  }
  shrink();
  return lowest.map(({ row }) => ({ ...row, kept }));
}
