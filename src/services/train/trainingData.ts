/** Traces → the trainer's two files: a training and a held-out part, split by a hash so that it never depends on order. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import type { Manifest } from '../../contract/manifest.ts';
import { traceRowSchema, type TraceRow } from '../../contract/rows.ts';
import type { Store } from '../store/index.ts';
import { readRows } from '../store/rows.ts';

export interface TrainingFiles {
  readonly trainRows: number;
  readonly evalRows: number;
}

/** At least one row stays for training; evalShare 0 gives an empty held-out file. */
export async function writeTrainingFiles(
  store: Store,
  traces: Manifest,
  split: { readonly evalShare: number; readonly seed: number },
  files: { readonly trainFile: string; readonly evalFile: string },
): Promise<TrainingFiles> {
  const heldOut = chooseHeldOut(await readPlaces(store, traces), split);
  const train = createWriteStream(files.trainFile);
  const held = createWriteStream(files.evalFile);
  let trainRows = 0;
  let evalRows = 0;
  for await (const row of readTraces(store, traces)) {
    const isHeldOut = heldOut.has(row.index);
    const line = JSON.stringify({
      id: row.id,
      prompt: row.prompt,
      reasoning: row.reasoning,
      answer: row.answer,
    });
    const target = isHeldOut ? held : train;
    if (!target.write(`${line}\n`)) await once(target, 'drain');
    if (isHeldOut) evalRows += 1;
    else trainRows += 1;
  }
  train.end();
  held.end();
  await Promise.all([finished(train), finished(held)]);
  return { trainRows, evalRows };
}

async function readPlaces(store: Store, traces: Manifest): Promise<SplitRow[]> {
  const rows: SplitRow[] = [];
  for await (const { index, id, group } of readTraces(store, traces)) rows.push({ index, id, group });
  return rows;
}

export interface SplitRow {
  readonly index: number;
  readonly id: string;
  readonly group: number;
}

/**
 * The indices held out: whole groups of near-duplicates, ranked by a hash of the seed and the group's first id, for as
 * long as they fit into the share. A task and its near copy on both sides would make the held-out loss a recollection.
 */
export function chooseHeldOut(
  rows: readonly SplitRow[],
  { evalShare, seed }: { readonly evalShare: number; readonly seed: number },
): ReadonlySet<number> {
  const groups = new Map<number, { rank: string; indices: number[] }>();
  for (const { index, id, group } of rows) {
    const members = groups.get(group) ?? {
      rank: createHash('sha256').update(`${seed}:${id}`).digest('hex'),
      indices: [],
    };
    members.indices.push(index);
    groups.set(group, members);
  }
  const wanted = Math.min(Math.round(rows.length * evalShare), Math.max(0, rows.length - 1));
  const heldOut = new Set<number>();
  for (const { indices } of [...groups.values()].sort((left, right) => (left.rank < right.rank ? -1 : 1))) {
    if (heldOut.size + indices.length <= wanted) for (const index of indices) heldOut.add(index);
  }
  return heldOut;
}

function readTraces(store: Store, traces: Manifest): AsyncIterable<TraceRow> {
  return readRows(store.blobs, traces.parts['pairs'] ?? [], {}, traceRowSchema);
}
