/** The rows that table, Markdown and HTML all show. */
import type { Difference, GroupScores, ModelScores, Score, Summary } from '../../contract/summary.ts';
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

/** The models that were evaluated, by the name that reports give them. */
export function namedModels({ models: { base, tuned } }: Summary): (readonly [string, ModelScores])[] {
  return tuned === undefined
    ? [['model', base]]
    : [
        ['base', base],
        ['tuned', tuned],
      ];
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
    ...both(metricLabels[name], (scores) => ({
      score: scores[name],
      exact: scores.exactIntervals.includes(name),
    })),
    difference: difference?.[name] ?? null,
  }));
  rows.push(
    both(
      'SecRatio',
      ({ secRatio, exactIntervals }) =>
        secRatio && { score: secRatio, exact: exactIntervals.includes('secRatio') },
    ),
  );
  const unknown = models.base.unknown + (models.tuned?.unknown ?? 0);
  if (unknown > 0) {
    rows.push(
      both('func-and-secure, best case', ({ bestCaseFuncSec, exactIntervals }) => ({
        score: bestCaseFuncSec,
        exact: exactIntervals.includes('bestCaseFuncSec'),
      })),
    );
  }
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
export function groups({ models: { base, tuned }, difference }: Summary): Group[] {
  const kinds = [
    { name: 'seen CWEs', short: 'seen', key: 'seen' },
    { name: 'held-out CWEs', short: 'held out', key: 'heldOut' },
  ] as const;
  return kinds.flatMap(({ name, short, key }) => {
    const group = base[key];
    if (group === null) return [];
    const other = tuned?.[key] ?? null;
    const rows = metricNames.map((metric) => ({
      label: metricLabels[metric],
      base: { score: group[metric], exact: group.exactIntervals.includes(metric) },
      tuned: other && { score: other[metric], exact: other.exactIntervals.includes(metric) },
      difference: difference?.[key]?.[metric] ?? null,
    }));
    return [{ name, short, evidence: evidence(group), rows }];
  });
}

/** The primary measure of each group as rows of one table. */
export function primaryGroupRows(summary: Summary): HeadlineRow[] {
  return groups(summary).flatMap(({ short, rows }) =>
    rows
      .filter((row) => row.label === metricLabels.funcSec)
      .map((row) => ({ ...row, label: `${row.label}, ${short}` })),
  );
}

/** `n = 144 samples, 18 tasks of 14 scenarios` */
export function evidence({ samples, tasks, scenarios }: GroupScores): string {
  return `n = ${plural(samples, 'sample')}, ${plural(tasks, 'task')} of ${plural(scenarios, 'scenario')}`;
}

export function hasExact(summary: Summary): boolean {
  const { base, tuned } = summary.models;
  return [base, base.seen, base.heldOut, tuned, tuned?.seen, tuned?.heldOut].some(
    (group) => group?.exactIntervals.length,
  );
}
