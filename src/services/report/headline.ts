/** The rows that table, Markdown and HTML all show. */
import type { Difference, GroupScores, Score } from '../../contract/summary.ts';
import { metricsOf, namedModels, primaryMetric, type BenchmarkView } from './view.ts';
import { metricLabels, plural } from './words.ts';

export interface ScoreCell {
  readonly score: Score;
  /** The interval is the exact one. */
  readonly exact: boolean;
}

export interface HeadlineRow {
  readonly label: string;
  readonly primary: boolean;
  readonly base: ScoreCell | null;
  readonly tuned: ScoreCell | null;
  readonly difference: Difference | null;
}

type Exact = GroupScores['exactIntervals'][number];

export function scoreCell(scores: GroupScores, name: Exact): ScoreCell | null {
  const score = scores[name];
  return score && { score, exact: scores.exactIntervals.includes(name) };
}

/** The measures over everything, SecRatio, what works and is insecure, and the best case where something is unknown. */
export function headlineRows(view: BenchmarkView): HeadlineRow[] {
  const { models, difference } = view;
  const primary = primaryMetric(view);
  const both = (label: string, cell: (scores: GroupScores) => ScoreCell | null): HeadlineRow => ({
    label,
    primary: false,
    base: cell(models.base),
    tuned: models.tuned === undefined ? null : cell(models.tuned),
    difference: null,
  });
  const rows = metricsOf(view).map((name) => ({
    ...both(metricLabels[name], (scores) => scoreCell(scores, name)),
    primary: name === primary,
    difference: difference?.[name] ?? null,
  }));
  if (view.measures === 'function') return rows;
  rows.push(both('SecRatio', (scores) => scoreCell(scores, 'secRatio')));
  if (models.base.insecure !== null)
    rows.push(both('functional, insecure', ({ insecure }) => insecure && { score: insecure, exact: false }));
  const unknown = models.base.unknown + (models.tuned?.unknown ?? 0);
  if (unknown > 0)
    rows.push(both('func-and-secure, best case', (scores) => scoreCell(scores, 'bestCaseFuncSec')));
  return rows;
}

export interface Group {
  readonly name: string;
  /** The name where room is short. */
  readonly short: string;
  readonly evidence: string;
  readonly rows: readonly HeadlineRow[];
}

/** The weaknesses that were trained on, and those that were not. Empty where nothing is known about training. */
export function groups(view: BenchmarkView): Group[] {
  const { base, tuned } = view.models;
  const primary = primaryMetric(view);
  const kinds = [
    { name: 'seen CWEs', short: 'seen', key: 'seen' },
    { name: 'held-out CWEs', short: 'held out', key: 'heldOut' },
  ] as const;
  return kinds.flatMap(({ name, short, key }) => {
    const group = base[key];
    if (group === null) return [];
    const other = tuned?.[key] ?? null;
    const rows = metricsOf(view).map((metric) => ({
      label: metricLabels[metric],
      primary: metric === primary,
      base: scoreCell(group, metric),
      tuned: other && scoreCell(other, metric),
      difference: view.difference?.[key]?.[metric] ?? null,
    }));
    return [{ name, short, evidence: evidence(group), rows }];
  });
}

/** The primary measure of each group as rows of one table. */
export function primaryGroupRows(view: BenchmarkView): HeadlineRow[] {
  return groups(view).flatMap(({ short, rows }) =>
    rows
      .filter((row) => row.primary)
      .map((row) => ({ ...row, primary: false, label: `${row.label}, ${short}` })),
  );
}

/** `n = 144 samples, 18 tasks of 14 scenarios` */
export function evidence({ samples, tasks, scenarios }: GroupScores): string {
  return `n = ${plural(samples, 'sample')}, ${plural(tasks, 'task')} of ${plural(scenarios, 'scenario')}`;
}

/** Some interval of the headline or its groups is an exact one. */
export function hasExact(view: BenchmarkView): boolean {
  return namedModels(view).some(({ scores }) =>
    [scores, scores.seen, scores.heldOut].some((group) => (group?.exactIntervals.length ?? 0) > 0),
  );
}
