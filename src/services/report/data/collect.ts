/** A sample of the rows of a run for its report: every row where there are few, otherwise some of each kind. */
import type { Manifest } from '../../../contract/manifest.ts';
import { seededRandom, type Random } from '../../metrics/random.ts';
import type { Store } from '../../store/index.ts';
import { readEntries, rowsIn, sourcesOf, type DataEntry, type EntrySource } from './entries.ts';
import type { DataKind } from './kinds.ts';

/** A row as the report shows it; its texts are cut. */
export type ReportedRow = Omit<DataEntry, 'row'>;

export interface DataRows {
  /** How many there are, by kind; kinds without rows are left out. */
  readonly totals: Readonly<Partial<Record<DataKind, number>>>;
  /** By index. All of them where they are as many as `totals` say; a sample otherwise. */
  readonly rows: readonly ReportedRow[];
}

export interface CollectOptions {
  readonly maxRows?: number;
  /** Of each text; what is left out is said at its end. */
  readonly maxCharacters?: number;
}

const MAX_ROWS = 500;
const MAX_CHARACTERS = 2000;
const MAX_LINE_CHARACTERS = 300;

/**
 * Kinds share the places evenly, so that rare ones (bad rows, contaminated ones) are to be seen, and within a kind each
 * row has the same chance; the same artefacts give the same sample. Reads only the parts that hold drawn rows.
 */
export async function collectDataRows(
  store: Pick<Store, 'blobs'>,
  filter: Pick<Manifest, 'parts' | 'fingerprint'>,
  traces: Pick<Manifest, 'parts' | 'fingerprint'>,
  { maxRows = MAX_ROWS, maxCharacters = MAX_CHARACTERS }: CollectOptions = {},
): Promise<DataRows> {
  // Those for review are among the kept and the dropped.
  const sources = [...sourcesOf('filter', filter.parts), ...sourcesOf('traces', traces.parts)].filter(
    ({ kind }) => kind !== 'review',
  );
  const totals: Partial<Record<DataKind, number>> = {};
  for (const source of sources) totals[source.kind] = (totals[source.kind] ?? 0) + rowsIn(source);
  const random = seededRandom(
    Number.parseInt(`${filter.fingerprint.slice(0, 6)}${traces.fingerprint.slice(0, 6)}`, 16),
  );
  const places = shareOut(sources.map(rowsIn), maxRows);
  const rows: ReportedRow[] = [];
  for (const [position, source] of sources.entries()) {
    const wanted = draw(rowsIn(source), places[position] ?? 0, random);
    for await (const entry of readAt(store, source, wanted)) rows.push(shorten(entry, maxCharacters));
  }
  return { totals, rows: rows.sort((left, right) => left.index - right.index) };
}

/** Who has less than an even share gets all, the others divide what is left. Exported for its test. */
export function shareOut(sizes: readonly number[], places: number): number[] {
  const shares = sizes.map(() => 0);
  let left = places;
  const ascending = [...sizes.entries()].sort(([, a], [, b]) => a - b);
  for (const [served, [position, size]] of ascending.entries()) {
    const share = Math.min(size, Math.floor(left / (sizes.length - served)));
    shares[position] = share;
    left -= share;
  }
  return shares;
}

/** `count` distinct numbers below `size`, ascending (Floyd's algorithm). Exported for its test. */
export function draw(size: number, count: number, random: Random): number[] {
  if (count >= size) return Array.from({ length: size }, (_, position) => position);
  const drawn = new Set<number>();
  for (let last = size - count; last < size; last += 1) {
    const candidate = Math.floor(random() * (last + 1));
    drawn.add(drawn.has(candidate) ? last : candidate);
  }
  return [...drawn].sort((left, right) => left - right);
}

async function* readAt(
  store: Pick<Store, 'blobs'>,
  source: EntrySource,
  positions: readonly number[],
): AsyncGenerator<DataEntry> {
  let start = 0;
  let next = 0;
  for (const part of source.parts) {
    const inside: number[] = [];
    for (; (positions[next] ?? Number.POSITIVE_INFINITY) < start + part.rows; next += 1)
      inside.push((positions[next] ?? 0) - start);
    start += part.rows;
    const [first] = inside;
    if (first === undefined) continue;
    const wanted = new Set(inside);
    let position = first;
    const range = { from: first, to: (inside.at(-1) ?? first) + 1 };
    for await (const entry of readEntries(store, { ...source, parts: [part] }, range)) {
      if (wanted.has(position)) yield entry;
      position += 1;
    }
  }
}

function shorten({ row: _, ...entry }: DataEntry, maxCharacters: number): ReportedRow {
  const line = (text: string): string => cut(text, MAX_LINE_CHARACTERS);
  return {
    ...entry,
    id: line(entry.id),
    language: entry.language === null ? null : line(entry.language),
    reason: entry.reason === null ? null : line(entry.reason),
    detail: entry.detail === null ? null : cut(entry.detail, maxCharacters),
    texts: entry.texts.map(({ title, text }) => ({ title, text: cut(text, maxCharacters) })),
  };
}

/** Copied, since a slice would keep the whole text in memory. */
function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const start = Buffer.from(text.slice(0, characters)).toString('utf8');
  return `${start} … [cut: ${(text.length - characters).toLocaleString('en')} more characters]`;
}
