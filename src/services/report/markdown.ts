/** The outcome as Markdown: for a pull request, an issue or the UI. */
import type { Summary } from '../../contract/summary.ts';
import {
  evidence,
  groups,
  hasExact,
  headlineRows,
  namedModels,
  type Cell,
  type HeadlineRow,
} from './headline.ts';
import { visibleLine } from './visible.ts';
import { differenceText, duration, scoreText, usd } from './words.ts';

export function renderMarkdown(summary: Summary): string {
  const { base, tuned } = summary.models;
  const paired = tuned !== undefined;
  const scoreRow = (row: HeadlineRow): string[] =>
    paired
      ? [row.label, cell(row.base), cell(row.tuned), row.difference ? differenceText(row.difference) : '']
      : [row.label, cell(row.base)];
  const header = paired ? ['', 'base', 'tuned', 'tuned − base, points'] : ['', 'model'];
  return [
    `# ${escapeMarkdown(summary.run.recipe)}`,
    '',
    ...(summary.difference?.conclusions.map((sentence) => `- ${escapeMarkdown(sentence)}`) ?? []),
    '',
    ...table(header, headlineRows(summary).map(scoreRow)),
    '',
    `${escapeMarkdown(base.benchmark)}, ${paired ? 'each model ' : ''}${evidence(base)}; pass@${base.k}; 95 % intervals clustered on the scenario${hasExact(summary) ? ' (\\* exact)' : ''}.`,
    `Counted as failures: ${namedModels(summary)
      .map(([name, scores]) => `${name} ${scores.unknown} unknown, ${scores.missing} missing`)
      .join('; ')}.`,
    ...groups(summary).flatMap(({ name, evidence, rows }) => [
      '',
      `## ${name}`,
      '',
      ...table(header, rows.map(scoreRow)),
      '',
      `${evidence}.`,
    ]),
    '',
    '## Stages',
    '',
    ...table(
      ['stage', 'time', 'cost', 'rows', 'reused', 'artefact'],
      summary.stages.map(({ name, seconds, costUsd, rows, reused, artefact }) => [
        name,
        duration(seconds),
        usd(costUsd),
        String(rows),
        reused ? 'yes' : 'no',
        artefact ?? '–',
      ]),
    ),
    '',
    `Cost of this run: ${usd(summary.costUsd)}.`,
    '',
    '## Formulas',
    '',
    ...Object.entries(summary.formulas).map(
      ([name, text]) => `- **${escapeMarkdown(name)}**: ${escapeMarkdown(text)}`,
    ),
    '',
    '## Versions',
    '',
    ...Object.entries(summary.versions).map(
      ([name, text]) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(text)}`,
    ),
    '',
  ].join('\n');
}

function cell(value: Cell | null): string {
  return value === null ? '–' : scoreText(value.score, value.exact);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(header), `|${' --- |'.repeat(header.length)}`, ...rows.map(line)];
}

/** Names come from users and models: they must not become markup, links or further columns. */
function escapeMarkdown(text: string): string {
  return visibleLine(text).replaceAll(/[\\`*_[\]<>|#!~]/g, (character) => `\\${character}`);
}
