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
  const heldOut = await chooseHeldOut(store, traces, split);
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

async function chooseHeldOut(
  store: Store,
  traces: Manifest,
  { evalShare, seed }: { evalShare: number; seed: number },
): Promise<ReadonlySet<number>> {
  const ranked: { readonly index: number; readonly rank: string }[] = [];
  for await (const { index, id } of readTraces(store, traces)) {
    ranked.push({ index, rank: createHash('sha256').update(`${seed}:${id}`).digest('hex') });
  }
  ranked.sort((left, right) => (left.rank < right.rank ? -1 : 1));
  const count = Math.min(Math.round(ranked.length * evalShare), Math.max(0, ranked.length - 1));
  return new Set(ranked.slice(0, count).map(({ index }) => index));
}

function readTraces(store: Store, traces: Manifest): AsyncIterable<TraceRow> {
  return readRows(store.blobs, traces.parts['pairs'] ?? [], {}, traceRowSchema);
}
