/** The report's section on data: what became of the rows, how good the classifier is, what was paid, and rows to browse. */
import type { CalibrationSummary, DataSummary, Summary } from '../../contract/summary.ts';
import { exclusionReasons, rejectionReasons, type RejectionReason } from '../../contract/rows.ts';
import type { DataRows } from './data/collect.ts';
import { dataKinds, type DataKind } from './data/kinds.ts';
import { definitions, table } from './elements.ts';
import { browser, select } from './forms.ts';
import { html, type Html } from './html.ts';
import { intervalText, percent, plural, usd } from './words.ts';

export const kindWords: Readonly<Record<DataKind, string>> = {
  kept: 'kept',
  dropped: 'dropped',
  excluded: 'excluded',
  dead: 'bad row',
  accepted: 'accepted trace',
  rejected: 'rejected answer',
  review: 'for review',
};

const rowWords: readonly (readonly [string, string])[] = [
  ['in', 'read from the dataset'],
  ['kept', 'kept: a weakness is plausible'],
  ['dropped', 'dropped by the classifier'],
  ['duplicates', 'exact duplicates'],
  ['nearDuplicates', 'near-duplicates'],
  ['contaminated', 'contaminated: too like an evaluation task'],
  ['bad', 'bad: could not be processed'],
];

const reasonWords: Readonly<Record<RejectionReason | (typeof exclusionReasons)[number], string>> = {
  nearDuplicate: 'near-duplicate',
  truncated: 'cut off at the token limit',
  noReasoning: 'no reasoning',
  unbalancedThink: 'reasoning not closed',
  noCodeBlock: 'no code',
  codeDoesNotParse: 'code does not parse',
  testsFail: "fails the row's own tests",
  noTests: 'could not be tested',
  analyserFinding: 'a static analyser found a weakness',
  judgedInsecure: 'judged insecure by the judge model',
  contaminated: 'too like an evaluation task',
  overQuota: 'its weakness has enough traces',
  repetition: 'repeats itself',
  leaksInstructions: 'speaks of its instructions',
};

function inWords(reason: string): string {
  return (reasonWords as Readonly<Record<string, string>>)[reason] ?? reason;
}

export function dataSection(summary: Summary, rows: DataRows | null): Html {
  const { data } = summary;
  return html`<section id="data" aria-labelledby="data-title">
    <h2 id="data-title">Data</h2>
    ${data === null ? '' : numbers(data)}
    <h3>Money</h3>
    ${money(summary)} ${rows === null ? '' : browse(rows)}
  </section>`;
}

function numbers(data: DataSummary): Html {
  const { in: total = 0 } = data.filter;
  const rows = rowWords.flatMap(([name, words]) => {
    const count = data.filter[name];
    return count === undefined ? [] : [line(words, count, total)];
  });
  const rejected = Object.values(data.rejections).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(data.rejections).map(([reason, count]) =>
    line(inWords(reason), count, rejected),
  );
  const named = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
      .join(' · ');
  return html`<div class="plots">
      <div>
        <h3>Rows</h3>
        ${table(['rows', 'count', 'share'], rows)}
      </div>
      <div>
        <h3>Traces</h3>
        <p>
          ${plural(data.distil['accepted'] ?? 0, 'trace')} accepted, ${plural(rejected, 'answer')} rejected; a
          task may have several answers.
        </p>
        ${reasons.length === 0 ? '' : table(['rejected because', 'answers', 'share'], reasons)}
      </div>
    </div>
    ${definitions({
      ...(Object.keys(data.cwes).length === 0 ? {} : { 'accepted by weakness': named(data.cwes) }),
      ...(Object.keys(data.languages).length === 0 ? {} : { 'accepted by language': named(data.languages) }),
    })}
    <h3>Classifier against labelled rows</h3>
    ${data.calibration === null ? html`<p>Not measured: the recipe names no labelled rows.</p>` : agreement(data.calibration)}`;
}

function line(words: string, count: number, total: number): Html {
  return html`<tr>
    <th scope="row">${words}</th>
    <td class="number">${count.toLocaleString('en')}</td>
    <td class="number">${total === 0 ? '–' : percent(count / total)}</td>
  </tr>`;
}

function agreement(calibration: CalibrationSummary): Html {
  const { truePositives, falsePositives, falseNegatives, trueNegatives, unanswered } = calibration;
  const rates = (['precision', 'recall', 'f1'] as const).map((name) => {
    const rate = calibration[name];
    return html`<tr>
      <th scope="row">${name === 'f1' ? 'F1' : name}</th>
      <td class="number">${rate === null ? 'not measurable' : percent(rate.value)}</td>
      <td class="number">${rate === null ? '–' : intervalText(rate)}</td>
    </tr>`;
  });
  const labelled = truePositives + falsePositives + falseNegatives + trueNegatives;
  return html`${table(['', 'share', '95 % interval (exact)'], rates)}
    <p>
      ${plural(labelled, 'labelled row')}: ${truePositives} rightly kept, ${falsePositives} wrongly kept,
      ${falseNegatives} wrongly dropped, ${trueNegatives} rightly dropped; ${unanswered} without a usable
      answer, which are in no share.
    </p>`;
}

/** A sentence a model. Answers that were used are what is left when the rest is taken off. */
function money({ usage }: Summary): Html {
  const sentences = Object.entries(usage).flatMap(([name, used]) => {
    if (used === null) return [];
    const { costUsd, unsettledUsd, paidTwice, paidTwiceUsd, rejectedUsd } = used;
    const usefulUsd = Math.max(0, costUsd - unsettledUsd - paidTwiceUsd - rejectedUsd);
    return [
      html`<li>
        <strong>${name}</strong>: ${usd(costUsd)} in all. Used answers: ${usd(usefulUsd)}. Rejected answers:
        ${usd(rejectedUsd)}. Paid twice: ${plural(paidTwice, 'answer')}, ${usd(paidTwiceUsd)}. Requests of
        unknown outcome, at their worst case: ${usd(unsettledUsd)}. Tried again:
        ${plural(used.retries, 'request')}. Reasoning: ${plural(used.reasoningTokens, 'token')} of
        ${used.completionTokens.toLocaleString('en')} completed.
      </li>`,
    ];
  });
  return sentences.length === 0
    ? html`<p>No model was asked.</p>`
    : html`<ul>
        ${sentences}
      </ul>`;
}

function browse({ totals, rows }: DataRows): Html {
  const total = Object.values(totals).reduce((sum, count) => sum + count, 0);
  const kinds = dataKinds.filter((kind) => (totals[kind] ?? 0) > 0);
  const shown = (kind: DataKind): number => rows.filter((row) => row.kind === kind).length;
  const counts = kinds.map((kind) => {
    const [all, here] = [totals[kind] ?? 0, shown(kind)];
    const words = all.toLocaleString('en');
    return `${kindWords[kind]} ${all === here ? words : `${here} of ${words}`}`;
  });
  const codes: ReadonlySet<string> = new Set([...exclusionReasons, ...rejectionReasons]);
  const reasons = rows.flatMap(({ kind, reason }) =>
    (kind === 'excluded' || kind === 'rejected') && reason !== null && codes.has(reason) ? [reason] : [],
  );
  const sample =
    rows.length < total
      ? html`A sample of ${rows.length} of ${total.toLocaleString('en')} rows and traces, drawn by a seed, of
          every kind; <code>secpi traces</code> shows them all.`
      : html`All ${plural(total, 'row')} and traces.`;
  return html`<h3>Rows, verdicts and traces</h3>
    <p>${sample} ${counts.join(' · ')}. Long texts are cut, and say so.</p>
    ${browser('data', 'Filter the rows', [
      select(
        'data',
        'kind',
        'Kind',
        kinds.map((kind) => [kind, kindWords[kind]]),
      ),
      select(
        'data',
        'cwe',
        'Weakness',
        plain(
          rows.flatMap(({ cwes }) => cwes),
          byNumber,
        ),
      ),
      select('data', 'language', 'Language', plain(rows.flatMap(({ language }) => language ?? []))),
      select(
        'data',
        'reason',
        'Reason',
        plain(reasons).map(([code]) => [code, inWords(code)]),
      ),
      html`<label for="data-filter-text">Text<input id="data-filter-text" type="search" /></label>`,
    ])}`;
}

function plain(
  names: readonly string[],
  order?: (left: string, right: string) => number,
): (readonly [string, string])[] {
  return [...new Set(names)].sort(order).map((name) => [name, name]);
}

/** CWE-89 before CWE-117. */
function byNumber(left: string, right: string): number {
  return Number(left.replace('CWE-', '')) - Number(right.replace('CWE-', ''));
}
