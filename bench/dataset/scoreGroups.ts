/** Precision and recall of removal and of groups against exact similarities. */
export type Outcome =
  | { readonly kept: number; readonly group: number }
  | { readonly kept: null; readonly like: number };

export interface Score {
  readonly pairs: number;
  readonly recall: number;
  readonly precision: number;
  /** The same over pairs whose exact similarity is at least 0.1 from the threshold: what a sketch can tell apart. */
  readonly clearRecall: number;
  readonly clearPrecision: number;
}

/** A pair counts as found where the later row was removed, or has the group of the earlier. */
export function score(
  truth: readonly (readonly [number, number, number])[],
  outcomes: readonly (Outcome | undefined)[],
  { removeFrom, groupFrom }: { removeFrom: number; groupFrom: number },
): { removal: Score; groups: Score; falseRows: number } {
  const made = new Set(truth.map(([row]) => row));
  // Exact duplicates have no outcome at all.
  const isRemoved = (row: number): boolean => (outcomes[row]?.kept ?? null) === null;
  const groupOf = (row: number): number | null => {
    const outcome = outcomes[row];
    return outcome === undefined || outcome.kept === null ? null : outcome.group;
  };
  return {
    removal: scoreOf(truth, removeFrom, (row) => isRemoved(row)),
    groups: scoreOf(truth, groupFrom, (row, source) => isRemoved(row) || groupOf(row) === groupOf(source)),
    // Original rows that were removed or put into another row's group.
    falseRows: outcomes.filter(
      (_, row) => !made.has(row) && (isRemoved(row) || groupOf(row) !== outcomes[row]?.kept),
    ).length,
  };
}

function scoreOf(
  truth: readonly (readonly [number, number, number])[],
  threshold: number,
  isFound: (row: number, source: number) => boolean,
): Score {
  const MARGIN = 0.1;
  const tally = { true: 0, found: 0, both: 0, clearTrue: 0, clearFound: 0, clearBoth: 0 };
  for (const [row, source, exact] of truth) {
    const [is, found] = [exact >= threshold, isFound(row, source)];
    const isClear = Math.abs(exact - threshold) >= Math.min(MARGIN, is ? 1 - threshold : 1);
    tally.true += Number(is);
    tally.found += Number(found);
    tally.both += Number(is && found);
    tally.clearTrue += Number(isClear && is);
    tally.clearFound += Number(isClear && found);
    tally.clearBoth += Number(isClear && is && found);
  }
  const share = (part: number, whole: number): number =>
    Math.round((10_000 * part) / Math.max(1, whole)) / 10_000;
  return {
    pairs: tally.true,
    recall: share(tally.both, tally.true),
    precision: share(tally.both, tally.found),
    clearRecall: share(tally.clearBoth, tally.clearTrue),
    clearPrecision: share(tally.clearBoth, tally.clearFound),
  };
}
