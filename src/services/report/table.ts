/** The outcome as tables for a terminal, one a benchmark: at most 100 columns, no colours, no control characters. */
import type { Summary } from '../../contract/summary.ts';
import {
  evidence,
  groups,
  hasExact,
  headlineRows,
  primaryGroupRows,
  type HeadlineRow,
  type ScoreCell,
} from './headline.ts';
import { benchmarkViews, differenceLabel, namedModels, titleOf, type BenchmarkView } from './view.ts';
import { visibleLine } from './visible.ts';
import { differenceText, duration, scoreText, usd } from './words.ts';

/** Names longer than that do not fit beside four columns. */
const MAX_LABEL = 20;

export function renderTable(summary: Summary): string {
  const views = benchmarkViews(summary);
  const reused = summary.stages.filter((stage) => stage.reused).map((stage) => stage.name);
  const stages = summary.stages.map(
    ({ name, reused, seconds }) => `${visibleLine(name)} ${reused ? 'reused' : duration(seconds)}`,
  );
  return [
    ...views.flatMap((view) => [
      ...(views.length > 1 ? [visibleLine(titleOf(view))] : []),
      ...benchmarkLines(view),
      ...(views.length > 1 ? [''] : []),
    ]),
    ...summary.skipped.map(({ name, reason }) => `${titleOf({ name })} was left out: ${visibleLine(reason)}`),
    [`cost ${usd(summary.costUsd)}`, ...stages].join(' · '),
    ...(reused.length > 0 ? [`reused: ${reused.map(visibleLine).join(', ')}`] : []),
  ].join('\n');
}

function benchmarkLines(view: BenchmarkView): string[] {
  const { base, tuned } = view.models;
  const paired = tuned !== undefined;
  const labels = { base: short(view.labels.base), tuned: short(view.labels.tuned) };
  const difference = differenceLabel(labels);
  const header = paired
    ? ['', labels.base, labels.tuned, `${difference.length > MAX_LABEL ? 'difference' : difference}, points`]
    : ['', labels.base];
  const line = (row: HeadlineRow): string[] =>
    paired
      ? [row.label, cell(row.base), cell(row.tuned), row.difference ? differenceText(row.difference) : '']
      : [row.label, cell(row.base)];
  return [
    ...align([header, ...headlineRows(view).map(line), ...primaryGroupRows(view).map(line)]),
    '',
    `${visibleLine(titleOf(view))}, ${paired ? 'each model ' : ''}${evidence(base)}; pass@${base.k}; 95 % intervals by scenario${hasExact(view) ? ' (* exact)' : ''}`,
    ...groups(view).map((group) => `${group.name}: ${group.evidence}`),
    ...notes(view),
    ...(view.difference?.conclusions.map((sentence) => `→ ${visibleLine(sentence)}`) ?? []),
  ];
}

/** What a reader of the figures alone would miss. */
function notes(view: BenchmarkView): string[] {
  const { references, upstream, excluded } = view;
  const unknown = namedModels(view).flatMap(({ label, scores: { unknown, missing } }) =>
    unknown + missing > 0
      ? [`${visibleLine(label)}: ${unknown} unknown and ${missing} missing samples count as failures`]
      : [],
  );
  const theirs = namedModels(view).flatMap(({ key, label }) => {
    const scores = upstream?.[key];
    return scores === undefined
      ? []
      : [
          `upstream's own count, ${visibleLine(label)}: func ${(scores.func * 100).toFixed(1)} %, func-and-secure ${(scores.funcSec * 100).toFixed(1)} % of n = ${scores.n}`,
        ];
  });
  const broken = [
    ...(references?.failed ?? []).map((task) => `${task} (failed)`),
    ...(references?.flaky ?? []).map((task) => `${task} (flaky)`),
  ];
  return [
    ...theirs,
    ...unknown,
    ...(broken.length > 0 ? [`references that did not hold: ${broken.map(visibleLine).join(', ')}`] : []),
    ...excluded.map((sentence) => `left out: ${visibleLine(sentence)}`),
  ];
}

function short(label: string): string {
  const plain = visibleLine(label);
  return plain.length <= MAX_LABEL ? plain : `…${plain.slice(1 - MAX_LABEL)}`;
}

function cell(value: ScoreCell | null): string {
  return value === null ? '–' : scoreText(value.score, value.exact);
}

/** Columns padded to their widest cell. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
