/** The rows that table, Markdown and HTML all show. */
import type { Difference, GroupScores, Score, Summary } from '../../contract/summary.ts';
import { metricNames } from '../metrics/index.ts';
import { metricLabels, plural } from './words.ts';

export interface Cell {
  readonly score: Score;
  /** The interval is the exact one. */
  readonly exact: boolean;
}

export interface HeadlineRow {
  readonly label: string;
  readonly base: Cell | null;
  readonly tuned: Cell | null;
  readonly difference: Difference | null;
}

/** func, secure, func-and-secure, SecRatio and the best case over everything. */
export function headlineRows({ models, difference }: Summary): HeadlineRow[] {
  const both = (label: string, cell: (scores: GroupScores) => Cell | null): HeadlineRow => ({
    label,
    base: cell(models.base),
    tuned: models.tuned === undefined ? null : cell(models.tuned),
    difference: null,
  });
  const rows = metricNames.map((name) => ({
    ...both(metricLabels[name], (scores) => ({ score: scores[name], exact: scores.exactIntervals.includes(name) })),
    difference: difference?.[name] ?? null,
  }));
  rows.push(both('SecRatio', ({ secRatio }) => secRatio && { score: secRatio, exact: false }));
  const unknown = models.base.unknown + (models.tuned?.unknown ?? 0);
  if (unknown > 0) {
    rows.push(both('func-and-secure, best case', (scores) => ({ score: scores.bestCaseFuncSec, exact: false })));
  }
  return rows;
}

/** func-and-secure over the weaknesses that were trained on, and over those that were not. */
export function groupRows({ models: { base, tuned } }: Summary): (HeadlineRow & { readonly evidence: string })[] {
  const groups = [
    { name: 'seen CWEs', of: (scores: typeof base) => scores.seen },
    { name: 'held-out CWEs', of: (scores: typeof base) => scores.heldOut },
  ];
  return groups.flatMap(({ name, of }) => {
    const group = of(base);
    if (group === null) return [];
    const other = tuned === undefined ? null : of(tuned);
    return metricNames.map((metric) => ({
      label: `${metricLabels[metric]}, ${name}`,
      base: { score: group[metric], exact: group.exactIntervals.includes(metric) },
      tuned: other && { score: other[metric], exact: other.exactIntervals.includes(metric) },
      difference: null,
      evidence: evidence(group),
    }));
  });
}

/** `n = 144 samples, 18 tasks of 14 scenarios` */
export function evidence({ samples, tasks, scenarios }: GroupScores): string {
  return `n = ${plural(samples, 'sample')}, ${plural(tasks, 'task')} of ${plural(scenarios, 'scenario')}`;
}

export function hasExact(summary: Summary): boolean {
  const { base, tuned } = summary.models;
  return [base, base.seen, base.heldOut, tuned, tuned?.seen, tuned?.heldOut].some((group) => group?.exactIntervals.length);
}
