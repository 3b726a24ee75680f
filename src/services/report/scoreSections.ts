/** The parts of the HTML report that tell how the models did. */
import type { Summary } from '../../contract/summary.ts';
import { table } from './elements.ts';
import {
  evidence,
  groups,
  hasExact,
  headlineRows,
  namedModels,
  type Cell,
  type HeadlineRow,
} from './headline.ts';
import { html, type Html } from './html.ts';
import { intervalText, isDistinguishable, metricLabels, percent, points, pText } from './words.ts';

export function findings({ difference }: Summary): Html {
  if (difference === null) return html``;
  const clear = isDistinguishable(difference.funcSec);
  return html`<div class="finding${clear ? ' clear' : ''}">
    ${difference.conclusions.map((sentence) => html`<p>${sentence}</p>`)}
  </div>`;
}

export function headlineTable(summary: Summary): Html {
  const { base, tuned } = summary.models;
  return html`${scoreTable(
      summary,
      html`<tbody>
        ${headlineRows(summary).map(scoreRow(summary))}
      </tbody>`,
    )}
    <p class="muted">
      ${base.benchmark}, ${tuned ? 'each model ' : ''}${evidence(base)}; pass@${base.k}. In brackets: 95 %
      intervals, clustered on the
      scenario${hasExact(summary) ? '; * exact, because the bootstrap says nothing there' : ''}. Differences
      in points, paired by task.
    </p>`;
}

export function groupTable(summary: Summary): Html {
  const bodies = groups(summary).map(
    ({ name, evidence, rows }) =>
      html`<tbody>
        <tr class="group">
          <th scope="rowgroup" colspan="4">${name} <span class="muted">${evidence}</span></th>
        </tr>
        ${rows.map(scoreRow(summary))}
      </tbody>`,
  );
  return bodies.length === 0
    ? html`<p class="muted">Nothing is known about training, so nothing is split.</p>`
    : scoreTable(summary, html`${bodies}`);
}

function scoreTable(summary: Summary, bodies: Html): Html {
  const columns = [
    ...namedModels(summary).map(([name]) => name),
    ...(summary.models.tuned ? ['tuned − base'] : []),
  ];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Scores: ${columns.join(', ')}">
    <table class="scores">
      <thead>
        <tr>
          <th scope="col">measure</th>
          ${columns.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      ${bodies}
    </table>
  </div>`;
}

function scoreRow({ models: { tuned } }: Summary): (row: HeadlineRow) => Html {
  return (row) =>
    html`<tr${row.label === metricLabels.funcSec ? html` class="primary"` : ''}><th scope="row">${row.label}</th>${scoreCell(row.base)}${tuned ? html`${scoreCell(row.tuned)}${differenceCell(row)}` : ''}</tr>`;
}

function scoreCell(cell: Cell | null): Html {
  if (cell === null) return html`<td class="number">–</td>`;
  return html`<td class="number">
    ${percent(cell.score.value)}<span class="interval"
      >${intervalText(cell.score)}${cell.exact ? '*' : ''}</span
    >
  </td>`;
}

function differenceCell({ difference }: HeadlineRow): Html {
  if (difference === null) return html`<td></td>`;
  return html`<td class="number">
    ${points(difference.value)}<span class="interval"
      >[${points(difference.low)}, ${points(difference.high)}]</span
    ><span class="interval">p ${pText(difference.pValue)}</span>
  </td>`;
}

export function cweTable(summary: Summary): Html {
  const { base, tuned } = summary.models;
  return table(
    [
      'weakness',
      'in training',
      ...namedModels(summary).flatMap(([name]) => [`${name} func`, `${name} func-and-secure`]),
      'samples',
      'tasks',
      'scenarios',
    ],
    base.perCwe.map((scores, i) => {
      const cells = [scores, tuned?.perCwe[i]].flatMap((model) =>
        model === undefined
          ? []
          : [
              html`<td class="number">${percent(model.func.value)}</td>`,
              html`<td class="number">
                ${percent(model.funcSec.value)}
                <span class="muted"
                  >${intervalText(model.funcSec)}${model.exactIntervals.includes('funcSec') ? '*' : ''}</span
                >
              </td>`,
            ],
      );
      const { cwe, seen, samples, tasks, scenarios } = scores;
      const counts = [samples, tasks, scenarios].map((count) => html`<td class="number">${count}</td>`);
      return html`<tr>
        <th scope="row" class="number"><a href="#samples" data-cwe="${cwe}">${cwe}</a></th>
        <td class="number">${seen === null ? 'not known' : seen ? 'seen' : 'held out ○'}</td>
        ${cells}${counts}
      </tr>`;
    }),
  );
}
