/** `secpi traces RUN`: the rows of a run with their verdicts, traces and rejections; to read, to count, for jq, as a folder. */
import type { CweSelector } from '../../contract/rows.ts';
import { readEntries, rowsIn, type DataEntry, type DataKind } from '../../services/report/index.ts';
import type { Store } from '../../services/store/index.ts';
import { exitCodes } from '../exit.ts';
import { watchInterrupts } from '../interrupt.ts';
import { openSession } from '../session.ts';
import { readSettings, type Settings } from '../settings.ts';
import { createCounter, showCounts } from '../traces/count.ts';
import { exportTraces } from '../traces/exportTraces.ts';
import { createOutput, type LineOutput } from '../traces/output.ts';
import { findArtefact, findRun, type FoundArtefact } from '../traces/resolve.ts';
import { createMatcher, isWantedKind, mergeByIndex } from '../traces/select.ts';
import { asciiControls, inLine, jsonLine, kindLabels, showEntry } from '../traces/show.ts';
import { openKnownStore } from '../withStore.ts';

export interface TracesOptions {
  readonly kind: readonly DataKind[];
  readonly cwe: readonly CweSelector[];
  readonly language: readonly string[];
  readonly reason?: string;
  readonly search?: string;
  readonly id?: string;
  /** Default 20, and all for machines. */
  readonly limit?: number;
  readonly full: boolean;
  readonly count: boolean;
  readonly json: boolean;
  readonly export?: string;
}

const DEFAULT_LIMIT = 20;

export async function traces(run: string, options: TracesOptions): Promise<number> {
  const settings = readSettings(process.env);
  const interruption = watchInterrupts(() => undefined);
  const output = createOutput(process.stdout);
  try {
    const place = await find(run, settings, interruption);
    const { store, found } = place;
    try {
      if (options.export === undefined) await look(store, found, options, output, interruption.signal);
      else await exportTraces(store, found, options.export, output, interruption.signal);
      return exitCodes.ok;
    } finally {
      await place.close();
    }
  } finally {
    interruption.dispose();
  }
}

interface Found {
  readonly store: Store;
  readonly found: readonly FoundArtefact[];
  close(): Promise<void>;
}

/** An artefact needs the store alone; a run is asked of Temporal. */
async function find(
  run: string,
  settings: Settings,
  interruption: ReturnType<typeof watchInterrupts>,
): Promise<Found> {
  if (!run.startsWith('s3://')) {
    // Warnings of the session must not stand among rows that a program reads.
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const session = await openSession({ settings, say, interruption, stack: 'use' });
    try {
      const found = await findRun(session.cluster.client, session.store, run);
      return { store: session.store, found, close: async () => await session.close() };
    } catch (error) {
      await session.close();
      throw error;
    }
  }
  const store = await openKnownStore(settings);
  const close = (): Promise<void> => Promise.resolve(store.objects.close());
  try {
    return { store, found: [await findArtefact(store, run)], close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function look(
  store: Store,
  found: readonly FoundArtefact[],
  options: TracesOptions,
  output: LineOutput,
  signal: AbortSignal,
): Promise<void> {
  const matches = createMatcher({
    cwes: options.cwe,
    languages: options.language,
    reason: options.reason ?? null,
    search: options.search ?? null,
    id: options.id ?? null,
  });
  const sources = found
    .flatMap((artefact) => artefact.sources)
    .filter(({ kind }) => isWantedKind({ kinds: options.kind }, kind));
  const entries = matching(
    mergeByIndex(sources.map((source) => readEntries(store, source))),
    matches,
    signal,
  );
  if (options.count) return await count(entries, options, output);
  const limit = options.limit ?? (options.json ? Number.POSITIVE_INFINITY : DEFAULT_LIMIT);
  if (!options.json) for (const artefact of found) await output.line(headline(artefact));
  let shown = 0;
  let more = false;
  for await (const entry of entries) {
    if (shown === limit) {
      more = true;
      break;
    }
    const text = options.json ? jsonLine(entry) : `\n${showEntry(entry, options)}`;
    if (!(await output.line(text))) return;
    shown += 1;
  }
  if (options.json) return;
  await output.line('');
  await output.line(
    shown === 0
      ? 'No row matches.'
      : `${shown} shown${more ? `, there are more: --limit ${2 * limit}, or --json for all` : ''}.`,
  );
}

async function* matching(
  entries: AsyncIterable<DataEntry>,
  matches: (entry: DataEntry) => boolean,
  signal: AbortSignal,
): AsyncGenerator<DataEntry> {
  for await (const entry of entries) {
    signal.throwIfAborted();
    if (matches(entry)) yield entry;
  }
}

async function count(
  entries: AsyncIterable<DataEntry>,
  { json }: TracesOptions,
  output: LineOutput,
): Promise<void> {
  const counter = createCounter();
  for await (const entry of entries) counter.add(entry);
  const counts = counter.counts();
  await output.line(json ? asciiControls(JSON.stringify(counts)) : showCounts(counts));
}

/** "filter  s3://…  kept 38 · dropped 50", by what the parts say. */
function headline({ kind, uri, state, sources }: FoundArtefact): string {
  const totals = new Map<DataKind, number>();
  for (const source of sources) totals.set(source.kind, (totals.get(source.kind) ?? 0) + rowsIn(source));
  const counts = [...totals].map(([name, rows]) => `${kindLabels[name]} ${rows.toLocaleString('en')}`);
  const note = state === 'unfinished' ? ' (not finished: what its finished shards hold)' : '';
  return `${kind}  ${inLine(uri)}${note}\n  ${counts.length === 0 ? 'no rows yet' : counts.join(' · ')}`;
}
