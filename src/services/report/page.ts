/** The report of a run as one HTML file that needs no network and runs only its own script. */
import type { Summary } from '../../contract/summary.ts';
import { facts } from './blocks.ts';
import { blocksHtml } from './blocksHtml.ts';
import { benchmarkSection, figure, findings } from './benchmarkSection.ts';
import { countBlocks, stageBlocks, trainingBlocks, usageBlocks, versionBlocks } from './content/run.ts';
import { overviewBlocks } from './content/scores.ts';
import type { DataRows } from './data/collect.ts';
import { dataBlock } from './dataBlock.ts';
import { dataSection } from './dataSection.ts';
import { FRAME_BYTES, pageTop, renderPage } from './frame.ts';
import { html, type Html } from './html.ts';
import { lossPlot } from './plots/loss.ts';
import { stagePlot } from './plots/stages.ts';
import { sampleSection } from './sampleSection.ts';
import type { ReportedSample } from './samples/reported.ts';
import { trendSection } from './trendSection.ts';
import { anchorOf, benchmarkViews, titleOf } from './view.ts';

/** A file that is sent around, and that a phone opens: 30 MB, less what frames the parts. */
const MAX_PAGE_BYTES = 29_900_000;

/**
 * Under 30 MB as long as verdicts alone are: where the texts of samples are more, they are cut by a rule that the page
 * states. `dataRows` of `collectDataRows`; null where the run made no data.
 */
export async function renderHtml(
  summary: Summary,
  samples: readonly ReportedSample[],
  dataRows: DataRows | null = null,
): Promise<string> {
  const rows = dataRows === null ? html`` : await dataBlock(dataRows);
  const main = await mainParts(summary, dataRows);
  const top = header(summary, dataRows);
  const others = [main, rows, top].map((part) => Buffer.byteLength(String(part)));
  const room = others.reduce((left, bytes) => left - bytes, MAX_PAGE_BYTES - FRAME_BYTES);
  const { section, block } = await sampleSection(benchmarkViews(summary), samples, room);
  return renderPage({
    title: summary.run.recipe,
    top,
    main: html`${main}${section}`,
    data: html`${block}${rows}`,
  });
}

function hasData(summary: Summary, dataRows: DataRows | null): boolean {
  return summary.data !== null || dataRows !== null;
}

function header(summary: Summary, dataRows: DataRows | null): Html {
  const { run, training } = summary;
  const links: (readonly [string, string])[] = [
    ['overview', 'Overview'],
    ...(summary.trend === null ? [] : [['trend', 'Nights'] as const]),
    ...benchmarkViews(summary).map((view) => [anchorOf(view), titleOf(view)] as const),
    ...(training ? [['training', 'Training'] as const] : []),
    ['stages', 'Stages and cost'],
    ...(hasData(summary, dataRows) ? [['data', 'Data'] as const] : []),
    ['method', 'Formulas and versions'],
    ['samples', 'Samples'],
  ];
  const { recipe, workflowId, finishedAt } = run;
  return pageTop({ title: recipe, workflowId, finishedAt, links });
}

async function mainParts(summary: Summary, dataRows: DataRows | null): Promise<Html> {
  const views = benchmarkViews(summary);
  const { training, stages } = summary;
  const sections = await Promise.all(views.map(async (view, i) => await benchmarkSection(view, i === 0)));
  const cost = stages.length === 0 ? null : await stagePlot(stages);
  return html`
    <section id="overview" aria-labelledby="overview-title">
      <h2 id="overview-title">Overview</h2>
      ${findings(views[0])}${blocksHtml(overviewBlocks(summary))}
    </section>
    ${summary.trend === null ? '' : await trendSection(summary.trend)} ${sections}
    ${
      training === null
        ? ''
        : html`<section id="training" aria-labelledby="training-title">
            <h2 id="training-title">Training</h2>
            <div class="plots">
              ${figure(await lossPlot(training), 'Loss by step', 'Loss by step. A dashed upright line marks a step that a later attempt went on from.')}
              <div>${blocksHtml(trainingBlocks(training))}</div>
            </div>
          </section>`
    }
    <section id="stages" aria-labelledby="stages-title">
      <h2 id="stages-title">Stages and cost</h2>
      ${cost === null ? '' : figure(cost, 'Time and cost by stage', 'Time and cost of this run by stage; what was reused cost nothing again.')}
      ${blocksHtml([...stageBlocks(summary), ...usageBlocks(summary)])}
      ${
        Object.keys(summary.counts).length === 0
          ? ''
          : html`<h3>Rows</h3>
              ${blocksHtml(countBlocks(summary))}`
      }
    </section>
    ${hasData(summary, dataRows) ? dataSection(summary, dataRows) : ''}
    <section id="method" aria-labelledby="method-title">
      <h2 id="method-title">Formulas and versions</h2>
      ${blocksHtml([facts(summary.formulas)])}
      <h3>Versions</h3>
      ${blocksHtml(versionBlocks(summary))}
    </section>
  `;
}
