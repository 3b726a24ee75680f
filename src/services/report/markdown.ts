/** The outcome as Markdown: for a pull request, an issue or the UI. What the HTML page says, without plots and samples. */
import type { Summary } from '../../contract/summary.ts';
import { facts, list, type Block } from './blocks.ts';
import { blocksMarkdown, escapeMarkdown } from './blocksMarkdown.ts';
import { detailParts, weaknessPart } from './content/benchmark.ts';
import { dataFacts, moneyBlocks, rowBlocks, traceBlocks } from './content/data.ts';
import { countBlocks, stageBlocks, trainingBlocks, usageBlocks, versionBlocks } from './content/run.ts';
import { conclusionsOf, overviewBlocks, scoreBlocks } from './content/scores.ts';
import { nightBlocks, tonightBlocks } from './content/trend.ts';
import { benchmarkViews, titleOf, type BenchmarkView } from './view.ts';

/** A comment in a pull request is no archive. */
const MARKDOWN_NIGHTS = 30;

export function renderMarkdown(summary: Summary): string {
  const views = benchmarkViews(summary);
  const { data, training } = summary;
  return [
    `# ${escapeMarkdown(summary.run.recipe)}`,
    '',
    ...blocksMarkdown(findings(views[0]), 2),
    ...(views.length > 1 || summary.skipped.length > 0
      ? section('All benchmarks', overviewBlocks(summary))
      : []),
    ...(summary.trend?.benchmarks ?? []).flatMap((trend) =>
      section(`Nights: ${titleOf(trend)}`, [
        list(trend.decision.sentences),
        ...tonightBlocks(trend),
        ...nightBlocks(trend, MARKDOWN_NIGHTS),
      ]),
    ),
    ...views.flatMap(benchmarkSection),
    ...(training === null ? [] : section('Training', trainingBlocks(training))),
    ...section('Stages and cost', [
      ...stageBlocks(summary),
      ...usageBlocks(summary),
      ...countBlocks(summary),
    ]),
    ...(data === null
      ? []
      : section('Data', [
          ...rowBlocks(data),
          ...traceBlocks(data),
          ...dataFacts(data),
          ...moneyBlocks(summary),
        ])),
    ...section('Formulas', [facts(summary.formulas)]),
    ...section('Versions', versionBlocks(summary)),
  ].join('\n');
}

function findings(view: BenchmarkView): Block[] {
  const conclusions = conclusionsOf(view);
  return conclusions.length === 0 ? [] : [list(conclusions)];
}

function benchmarkSection(view: BenchmarkView, position: number): string[] {
  return [
    ...section(titleOf(view), [...(position === 0 ? [] : findings(view)), ...scoreBlocks(view)]),
    ...[weaknessPart(view), ...detailParts(view)]
      .filter(({ blocks }) => blocks.length > 0)
      .flatMap(({ title, blocks }) => [`### ${escapeMarkdown(title)}`, '', ...blocksMarkdown(blocks, 4)]),
  ];
}

function section(title: string, blocks: readonly Block[]): string[] {
  return [`## ${escapeMarkdown(title)}`, '', ...blocksMarkdown(blocks, 3)];
}
