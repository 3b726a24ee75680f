/** The comparison of an experiment's variants as one HTML file, and as Markdown. */
import type { ExperimentSummary } from '../../../contract/experimentSummary.ts';
import { figure } from '../benchmarkSection.ts';
import type { Block } from '../blocks.ts';
import { blocksHtml } from '../blocksHtml.ts';
import { blocksMarkdown, escapeMarkdown } from '../blocksMarkdown.ts';
import { pageTop, renderPage } from '../frame.ts';
import { html, type Html } from '../html.ts';
import {
  benchmarksOf,
  changeBlocks,
  conclusionBlocks,
  methodBlocks,
  partBlocks,
  scoreBlocks,
  stageBlocks,
  titleOfBenchmark,
} from './content.ts';
import { variantPlot } from './plot.ts';

interface Section {
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
  /** Name of the benchmark that a plot is drawn of. */
  readonly plotted?: string;
}

function sectionsOf(experiment: ExperimentSummary): Section[] {
  return [
    { id: 'overview', title: 'Overview', blocks: conclusionBlocks(experiment) },
    ...benchmarksOf(experiment).flatMap((name): Section[] => [
      {
        id: `benchmark-${name}`,
        title: titleOfBenchmark(name),
        blocks: scoreBlocks(experiment, name),
        plotted: name,
      },
      ...(['perFamily', 'perLanguage'] as const).flatMap((part): Section[] => {
        const blocks = partBlocks(experiment, name, part);
        const by = part === 'perFamily' ? 'family of weaknesses' : 'language';
        return blocks.length === 0
          ? []
          : [{ id: `${name}-${part}`, title: `${titleOfBenchmark(name)} by ${by}`, blocks }];
      }),
    ]),
    { id: 'stages', title: 'Stages and cost', blocks: stageBlocks(experiment) },
    { id: 'variants', title: 'Variants', blocks: changeBlocks(experiment) },
    { id: 'method', title: 'Formulas', blocks: methodBlocks(experiment) },
  ];
}

export async function renderExperimentHtml(experiment: ExperimentSummary): Promise<string> {
  const sections = sectionsOf(experiment);
  const { experiment: title, workflowId, finishedAt } = experiment.run;
  const shown = await Promise.all(sections.map(async (section) => await sectionHtml(experiment, section)));
  return renderPage({
    title,
    top: pageTop({
      title,
      workflowId,
      finishedAt,
      links: sections.map((section) => [section.id, section.title] as const),
    }),
    main: html`${shown}`,
  });
}

async function sectionHtml(
  experiment: ExperimentSummary,
  { id, title, blocks, plotted }: Section,
): Promise<Html> {
  const plot = plotted === undefined ? null : await variantPlot(experiment, plotted);
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${blocksHtml(blocks)}
    ${
      plot === null
        ? ''
        : figure(
            plot,
            'Tuned models with 95 % intervals',
            'Tuned models with 95 % intervals. Overlapping intervals do not decide: the paired difference does.',
          )
    }
  </section>`;
}

export function renderExperimentMarkdown(experiment: ExperimentSummary): string {
  return [
    `# ${escapeMarkdown(experiment.run.experiment)}`,
    '',
    ...sectionsOf(experiment).flatMap(({ title, blocks }) => [
      `## ${escapeMarkdown(title)}`,
      '',
      ...blocksMarkdown(blocks, 3),
    ]),
  ].join('\n');
}
