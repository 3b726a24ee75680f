/** Counts of rows by kind, weakness, language and reason, in bounded memory. Pure. */
import type { DataEntry, DataKind } from '../../services/report/index.ts';
import { inLine, kindLabels } from './show.ts';

export interface EntryCounts {
  readonly rows: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly byCwe: Readonly<Record<string, number>>;
  readonly byLanguage: Readonly<Record<string, number>>;
  /** "rejected: truncated". Numbers in sentences are written as N, so that equal mistakes are one line. */
  readonly byReason: Readonly<Record<string, number>>;
}

export interface Counter {
  add(entry: DataEntry): void;
  counts(): EntryCounts;
}

/** A dataset may say anything in its language column, and every bad row may have a reason of its own. */
const MAX_NAMES = 5000;
const OTHERS = '(others)';
const MAX_NAME_CHARACTERS = 120;
const SHOWN_NAMES = 30;

/** The classifier writes another sentence for each row: those are not counted. */
const withReasons: readonly DataKind[] = ['excluded', 'dead', 'rejected'];

export function createCounter(): Counter {
  let rows = 0;
  const kinds = new Map<string, number>();
  const cwes = new Map<string, number>();
  const languages = new Map<string, number>();
  const reasons = new Map<string, number>();
  return {
    add({ kind, cwes: carried, language, reason }) {
      rows += 1;
      count(kinds, kind);
      for (const cwe of carried) count(cwes, cwe);
      count(languages, language ?? 'unknown');
      if (reason !== null && withReasons.includes(kind))
        count(reasons, `${kind}: ${reason.replaceAll(/\d+/gu, 'N')}`);
    },
    counts: () => ({
      rows,
      byKind: Object.fromEntries(kinds),
      byCwe: sorted(cwes),
      byLanguage: sorted(languages),
      byReason: sorted(reasons),
    }),
  };
}

export function showCounts({ rows, byKind, byCwe, byLanguage, byReason }: EntryCounts): string {
  const labels = Object.fromEntries(
    Object.entries(byKind).map(([kind, n]) => [kindLabels[kind as DataKind], n]),
  );
  return [
    `${rows.toLocaleString('en')} in all`,
    ...block('by kind', labels),
    ...block('by weakness (a row may name several)', byCwe),
    ...block('by language', byLanguage),
    ...block('by reason', byReason),
  ].join('\n');
}

function block(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  if (entries.length === 0) return [];
  const shown = entries
    .slice(0, SHOWN_NAMES)
    .map(([name, n]) => `${n.toLocaleString('en').padStart(12)}  ${inLine(name)}`);
  const hidden = entries.length - shown.length;
  return [
    '',
    title,
    ...shown,
    ...(hidden > 0 ? [`${' '.repeat(14)}and ${hidden} more (--json has all)`] : []),
  ];
}

function count(counts: Map<string, number>, name: string): void {
  const short = name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS)}…` : name;
  const key = counts.has(short) || counts.size < MAX_NAMES ? short : OTHERS;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The most frequent first. */
function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
