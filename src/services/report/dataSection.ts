/** The report's section on data: numbers, money, and rows to browse. */
import { exclusionReasons, rejectionReasons } from '../../contract/rows.ts';
import type { Summary } from '../../contract/summary.ts';
import { blocksHtml } from './blocksHtml.ts';
import { dataFacts, inWords, moneyBlocks, rowBlocks, traceBlocks } from './content/data.ts';
import type { DataRows } from './data/collect.ts';
import { dataKinds, type DataKind } from './data/kinds.ts';
import { browser, searchField, select } from './forms.ts';
import { html, type Html } from './html.ts';
import { plural } from './words.ts';

export const kindWords: Readonly<Record<DataKind, string>> = {
  kept: 'kept',
  dropped: 'dropped',
  excluded: 'excluded',
  dead: 'bad row',
  accepted: 'accepted trace',
  rejected: 'rejected answer',
  review: 'for review',
};

export function dataSection(summary: Summary, rows: DataRows | null): Html {
  const { data } = summary;
  const numbers =
    data === null
      ? ''
      : html`<div class="plots">
            <div>${blocksHtml(rowBlocks(data))}</div>
            <div>${blocksHtml(traceBlocks(data))}</div>
          </div>
          ${blocksHtml(dataFacts(data))}`;
  return html`<section id="data" aria-labelledby="data-title">
    <h2 id="data-title">Data</h2>
    ${numbers}${blocksHtml(moneyBlocks(summary))} ${rows === null ? '' : browse(rows)}
  </section>`;
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
      searchField('data', 'text', 'Text'),
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
