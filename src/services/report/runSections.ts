/** The parts of the HTML report that tell how the numbers came about. */
import type { Usage } from '../../contract/manifest.ts';
import type { Summary } from '../../contract/summary.ts';
import { definitions, table } from './elements.ts';
import { namedModels } from './headline.ts';
import { html, type Html } from './html.ts';
import { duration, intervalText, percent, plural, usd } from './words.ts';

export function trainingFacts(training: NonNullable<Summary['training']>): Html {
  const { evalLossBefore, evalLossAfter, logitsMaxAbsDiff, steps, rows, resumedFromSteps } = training;
  return definitions({
    trained: `${plural(steps, 'step')} over ${plural(rows, 'trace')}`,
    'loss on held-out traces':
      evalLossBefore === null || evalLossAfter === null
        ? 'not measured'
        : `${evalLossBefore.toFixed(3)} → ${evalLossAfter.toFixed(3)}`,
    'largest change of a logit':
      logitsMaxAbsDiff === null
        ? 'not measured'
        : `${logitsMaxAbsDiff.toFixed(3)} after loading the exported adapter`,
    resumed: resumedFromSteps.length === 0 ? 'never: one piece' : `from step ${resumedFromSteps.join(', ')}`,
  });
}

export function stageTable({ stages, costUsd }: Summary): Html {
  const rows = stages.map(
    ({ name, seconds, costUsd, rows, reused, artefact }) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td class="number">${duration(seconds)}</td>
        <td class="number">${usd(costUsd)}</td>
        <td class="number">${rows.toLocaleString('en')}</td>
        <td>${reused ? 'reused' : 'made'}</td>
        <td><code>${artefact ?? '–'}</code></td>
      </tr>`,
  );
  return html`${table(['stage', 'time', 'cost', 'rows', 'this run', 'artefact'], rows)}
    <p>Cost of this run: <strong>${usd(costUsd)}</strong>.</p>`;
}

export function usageTable({ usage }: Summary): Html {
  const models = Object.entries(usage).flatMap(([name, used]) => (used === null ? [] : [{ name, used }]));
  if (models.length === 0) return html``;
  const count = (value: number): string => value.toLocaleString('en');
  const line = (label: string, cellOf: (used: Usage) => string): Html =>
    html`<tr>
      <th scope="row">${label}</th>
      ${models.map(({ used }) => html`<td class="number">${cellOf(used)}</td>`)}
    </tr>`;
  const rows = [
    line('requests sent', (used) => count(used.requests)),
    line('of these without an answer, tried again', (used) => count(used.retries)),
    line('answers from the ledger, not paid again', (used) => count(used.ledgerHits)),
    line('prompt tokens', (used) => count(used.promptTokens)),
    line('completion tokens', (used) => count(used.completionTokens)),
    line('of these for reasoning', (used) => count(used.reasoningTokens)),
    line('cost in all', (used) => usd(used.costUsd)),
    line('of this for answers that a check rejected', (used) => usd(used.rejectedUsd)),
    line('of this paid twice', (used) => `${plural(used.paidTwice, 'answer')}, ${usd(used.paidTwiceUsd)}`),
    line('of this for requests of unknown outcome, at worst', (used) => usd(used.unsettledUsd)),
  ];
  return html`<p class="muted">What the artefacts above took, whichever run paid for it:</p>
    ${table(['', ...models.map(({ name }) => name)], rows)}`;
}

export function countsTable({ counts }: Summary): Html {
  const rows = Object.entries(counts).map(([stage, byName]) => {
    const text = Object.entries(byName).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
    return html`<tr>
      <th scope="row">${stage}</th>
      <td>${text.join(' · ')}</td>
    </tr>`;
  });
  return table(['stage', 'rows'], rows);
}

/** What does not stand in the numerator for another reason than a failed test, and why samples ended as they did. */
export function excluded(summary: Summary): Html {
  const models = namedModels(summary);
  const reasons = [...new Set(models.flatMap(([, { reasons }]) => Object.keys(reasons)))];
  const line = (label: string, cells: readonly string[]): Html =>
    html`<tr>
      <th scope="row">${label}</th>
      ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
    </tr>`;
  return html`<p>
      Nothing is left out of the denominator. Unknown and missing samples count as failures; the best case
      counts the unknown ones as successes.
    </p>
    ${table(
      ['samples', ...models.map(([name]) => name)],
      [
        line(
          'asked for',
          models.map(([, { samples }]) => samples.toLocaleString('en')),
        ),
        line(
          'missing',
          models.map(([, { missing }]) => missing.toLocaleString('en')),
        ),
        line(
          'unknown',
          models.map(([, { unknown }]) => unknown.toLocaleString('en')),
        ),
        line(
          'func-and-secure, best case',
          models.map(
            ([, { bestCaseFuncSec }]) => `${percent(bestCaseFuncSec.value)} ${intervalText(bestCaseFuncSec)}`,
          ),
        ),
        ...reasons.map((reason) =>
          line(
            `reason: ${reason}`,
            models.map(([, { reasons }]) => (reasons[reason] ?? 0).toLocaleString('en')),
          ),
        ),
      ],
    )}`;
}

export function versionList(summary: Summary): Html {
  const sampling = Object.fromEntries(
    namedModels(summary).map(([name, { model, sampling }]) => [
      `${name} model`,
      `${model}; temperature ${sampling.temperature}, top-p ${sampling.topP}, at most ${plural(sampling.maxTokens, 'token')}, seed ${sampling.seed}`,
    ]),
  );
  const { workflowId, runId, startedAt, finishedAt } = summary.run;
  return definitions({
    ...sampling,
    ...summary.versions,
    workflow: workflowId,
    run: runId,
    started: startedAt,
    finished: finishedAt,
  });
}
