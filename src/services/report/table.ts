/** The outcome as a table for a terminal: at most 100 columns, no colours, no control characters. */
import type { Summary } from '../../contract/summary.ts';
import {
  evidence,
  groups,
  hasExact,
  headlineRows,
  namedModels,
  primaryGroupRows,
  type Cell,
  type HeadlineRow,
} from './headline.ts';
import { visibleLine } from './visible.ts';
import { differenceText, duration, scoreText, usd } from './words.ts';

export function renderTable(summary: Summary): string {
  const { base, tuned } = summary.models;
  const paired = tuned !== undefined;
  const header = paired ? ['', 'base', 'tuned', 'tuned − base, points'] : ['', 'model'];
  const line = (row: HeadlineRow): string[] =>
    paired
      ? [row.label, cell(row.base), cell(row.tuned), row.difference ? differenceText(row.difference) : '']
      : [row.label, cell(row.base)];
  const rows = [header, ...headlineRows(summary).map(line), ...primaryGroupRows(summary).map(line)];
  const reused = summary.stages.filter((stage) => stage.reused).map((stage) => stage.name);
  return [
    ...align(rows),
    '',
    `${visibleLine(base.benchmark)}, ${paired ? 'each model ' : ''}${evidence(base)}; pass@${base.k}; 95 % intervals by scenario${hasExact(summary) ? ' (* exact)' : ''}`,
    ...groups(summary).map((group) => `${group.name}: ${group.evidence}`),
    ...unknownLines(summary),
    ...(summary.difference?.conclusions.map((sentence) => `→ ${sentence}`) ?? []),
    `cost ${usd(summary.costUsd)} · ${summary.stages.map((stage) => `${visibleLine(stage.name)} ${stage.reused ? 'reused' : duration(stage.seconds)}`).join(' · ')}`,
    ...(reused.length > 0 ? [`reused: ${reused.map(visibleLine).join(', ')}`] : []),
  ].join('\n');
}

function cell(value: Cell | null): string {
  return value === null ? '–' : scoreText(value.score, value.exact);
}

function unknownLines(summary: Summary): string[] {
  return namedModels(summary).flatMap(([name, { unknown, missing }]) =>
    unknown + missing > 0
      ? [`${name}: ${unknown} unknown and ${missing} missing samples count as failures`]
      : [],
  );
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
