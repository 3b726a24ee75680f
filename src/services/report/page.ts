/** The report of a run as one HTML file that needs no network and runs only its own script. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Summary } from '../../contract/summary.ts';
import { html, rawElement, type Html } from './html.ts';
import { outcomes } from './outcome.ts';
import { cwePlot, intervalPlot, lossPlot } from './plots.ts';
import type { DataRows } from './data/collect.ts';
import { dataBlock } from './dataBlock.ts';
import { dataSection } from './dataSection.ts';
import { definitions } from './elements.ts';
import { browser, select } from './forms.ts';
import { countsTable, excluded, stageTable, trainingFacts, usageTable, versionList } from './runSections.ts';
import { sampleData, type ReportedSample } from './sampleData.ts';
import { cweTable, findings, groupTable, headlineTable } from './scoreSections.ts';

const style = readFileSync(new URL('page.css', import.meta.url), 'utf8');
const script = readFileSync(new URL('page.client.js', import.meta.url), 'utf8');

/** Only these two texts may style and act: whatever slips in from a model stays inert, and nothing can be fetched. */
const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** `dataRows` of `collectDataRows`; null where the run made no data. */
export async function renderHtml(
  summary: Summary,
  samples: readonly ReportedSample[],
  dataRows: DataRows | null = null,
): Promise<string> {
  const { run, training } = summary;
  const hasData = summary.data !== null || dataRows !== null;
  const [intervals, cwes, loss] = await Promise.all([
    intervalPlot(summary),
    cwePlot(summary),
    training && lossPlot(training),
  ]);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${run.recipe} · SecPI Pipeline</title>
        ${rawElement('style', style)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the scores</a>
        <header>
          <h1>${run.recipe}</h1>
          <p class="muted">
            SecPI Pipeline · ${run.workflowId} · finished
            <time datetime="${run.finishedAt}">${run.finishedAt.slice(0, 16).replace('T', ' ')} UTC</time>
          </p>
          <nav aria-label="Sections">
            <ul>
              ${[
                ['main', 'Scores'],
                ['weaknesses', 'Weaknesses'],
                ...(training ? [['training', 'Training']] : []),
                ['stages', 'Stages and cost'],
                ...(hasData ? [['data', 'Data']] : []),
                ['excluded', 'Excluded and unknown'],
                ['method', 'Formulas and versions'],
                ['samples', 'Samples'],
              ].map(([id, title]) => html`<li><a href="#${id ?? ''}">${title ?? ''}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main id="main">
          ${findings(summary)}
          <section aria-labelledby="scores-title">
            <h2 id="scores-title">Scores</h2>
            <div class="plots">
              <div>${headlineTable(summary)}</div>
              ${figure(intervals, 'Shares with 95 % intervals', 'Share of samples with 95 % intervals. Overlapping intervals do not decide: the paired difference does.')}
            </div>
            <h3>Seen and held-out weaknesses</h3>
            ${groupTable(summary)}
          </section>
          <section id="weaknesses" aria-labelledby="weaknesses-title">
            <h2 id="weaknesses-title">By weakness</h2>
            ${figure(cwes, 'func-and-secure by weakness', 'func-and-secure by weakness; ○ held out of training. Each line rests on few tasks: read the direction over all of them, not a single one. In the table, * marks exact intervals, which take a scenario for one observation.')}
            ${cweTable(summary)}
          </section>
          ${
            training && loss
              ? html`<section id="training" aria-labelledby="training-title">
                  <h2 id="training-title">Training</h2>
                  <div class="plots">
                    ${figure(loss, 'Loss by step', 'Loss by step. A dashed upright line marks a step that a later attempt went on from.')}
                    <div>${trainingFacts(training)}</div>
                  </div>
                </section>`
              : ''
          }
          <section id="stages" aria-labelledby="stages-title">
            <h2 id="stages-title">Stages and cost</h2>
            ${stageTable(summary)}${usageTable(summary)}
            <h3>Rows</h3>
            ${countsTable(summary)}
          </section>
          ${hasData ? dataSection(summary, dataRows) : ''}
          <section id="excluded" aria-labelledby="excluded-title">
            <h2 id="excluded-title">Excluded and unknown</h2>
            ${excluded(summary)}
          </section>
          <section id="method" aria-labelledby="method-title">
            <h2 id="method-title">Formulas and versions</h2>
            ${definitions(summary.formulas)}
            <h3>Versions</h3>
            ${versionList(summary)}
          </section>
          <section id="samples" aria-labelledby="samples-title">
            <h2 id="samples-title">Samples</h2>
            ${sampleBrowser(summary)}
          </section>
        </main>
        ${sampleData(samples)} ${dataRows === null ? '' : dataBlock(dataRows)} ${rawElement('script', script)}
      </body>
    </html> `;
  return page.text;
}

function figure(plot: Html, label: string, caption: string): Html {
  return html`<figure aria-label="${label}">
    ${plot}
    <figcaption>${caption}</figcaption>
  </figure>`;
}

function sampleBrowser({ models: { base, tuned } }: Summary): Html {
  const options = (names: readonly string[]) => names.map((name) => [name, name] as const);
  return browser('sample', 'Filter the samples', [
    select('sample', 'model', 'Model', options(tuned === undefined ? ['base'] : ['base', 'tuned'])),
    select('sample', 'cwe', 'Weakness', options(base.perCwe.map(({ cwe }) => cwe))),
    select('sample', 'outcome', 'Verdict', options(outcomes)),
    html`<label for="sample-filter-task"
      >Task or reason<input id="sample-filter-task" type="search"
    /></label>`,
  ]);
}
