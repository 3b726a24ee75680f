/** Which rows are wanted, and in which order they come. */
import type { CweSelector } from '../../contract/rows.ts';
import { matchesSelector } from '../../services/cwe/index.ts';
import { canonicalLanguage } from '../../services/language/index.ts';
import type { DataEntry, DataKind } from '../../services/report/index.ts';

export interface Wanted {
  /** Empty: all but the sample for review, whose rows are among the kept and the dropped. */
  readonly kinds: readonly DataKind[];
  /** A weakness stands for itself and its kin. */
  readonly cwes: readonly CweSelector[];
  readonly languages: readonly string[];
  /** Part of the reason or its detail; case does not matter, here and below. */
  readonly reason: string | null;
  /** Part of any text. */
  readonly search: string | null;
  readonly id: string | null;
}

export function isWantedKind({ kinds }: Pick<Wanted, 'kinds'>, kind: DataKind): boolean {
  return kinds.length === 0 ? kind !== 'review' : kinds.includes(kind);
}

/** Of the entries of a wanted kind. */
export function createMatcher({ cwes, languages, reason, search, id }: Omit<Wanted, 'kinds'>) {
  const names = new Set(languages.map(canonicalLanguage));
  const why = reason?.toLowerCase() ?? null;
  const text = search?.toLowerCase() ?? null;
  return (entry: DataEntry): boolean => {
    if (id !== null && entry.id !== id) return false;
    if (cwes.length > 0 && !matchesSelector(entry.cwes, cwes)) return false;
    if (names.size > 0 && (entry.language === null || !names.has(canonicalLanguage(entry.language))))
      return false;
    if (why !== null && ![entry.reason, entry.detail].some((part) => part?.toLowerCase().includes(why)))
      return false;
    return text === null || textsOf(entry).some((part) => part?.toLowerCase().includes(text));
  };
}

function textsOf({ id, reason, detail, texts }: DataEntry): (string | null)[] {
  return [id, reason, detail, ...texts.map(({ text }) => text)];
}

/**
 * All streams as one, by index: what became of a row, its rejected answers and its trace stand together. Memory holds
 * one entry a stream; a stream out of order costs order, no entry. Streams are closed when the reader stops.
 */
export async function* mergeByIndex(
  streams: readonly AsyncGenerator<DataEntry>[],
): AsyncGenerator<DataEntry> {
  try {
    const heads = await Promise.all(streams.map(next));
    for (;;) {
      let first: { readonly entry: DataEntry; readonly stream: number } | null = null;
      for (const [stream, entry] of heads.entries()) {
        if (entry !== null && (first === null || entry.index < first.entry.index)) first = { entry, stream };
      }
      const stream = streams[first?.stream ?? -1];
      if (first === null || stream === undefined) return;
      yield first.entry;
      heads[first.stream] = await next(stream);
    }
  } finally {
    await Promise.all(streams.map(async (stream) => await stream.return(undefined)));
  }
}

async function next(stream: AsyncGenerator<DataEntry>): Promise<DataEntry | null> {
  const { done, value } = await stream.next();
  return done === true ? null : value;
}
