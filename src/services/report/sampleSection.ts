/** The list of all samples with its filters, and the data behind it. */
import { variantWords } from './content/breakdowns.ts';
import { count } from './content/cells.ts';
import { browser, checkbox, searchField, select } from './forms.ts';
import { html, jsonElement, type Html } from './html.ts';
import { outcomes } from './outcome.ts';
import type { ReportedSample } from './samples/reported.ts';
import { placeSamples } from './samples/rows.ts';
import { indexSamples, type SampleIndex } from './samples/sampleIndex.ts';
import { sampleTexts } from './samples/texts.ts';
import type { BenchmarkView } from './view.ts';

export interface SampleSection {
  readonly section: Html;
  /** `<script>` data for the end of the page. */
  readonly block: Html;
}

/** Together at most `roomBytes`, unless the index alone is more. */
export async function sampleSection(
  views: readonly BenchmarkView[],
  samples: readonly ReportedSample[],
  roomBytes: number,
): Promise<SampleSection> {
  const placed = placeSamples(samples, views);
  const index = indexSamples(placed, views);
  const indexBytes = Buffer.byteLength(jsonElement('sample-index', index).text);
  const { block, starts, rule } = await sampleTexts(placed, roomBytes - indexBytes);
  return {
    section: html`<section id="samples" aria-labelledby="samples-title">
      <h2 id="samples-title">Samples</h2>
      <p>
        Every one of ${count(samples.length)} samples with its prompt, reasoning, reply, code, test log and
        verdicts. ${rule.words} A line opens with Enter and closes with Escape.
      </p>
      ${browser('sample', 'Filter the samples', filters(index))}
    </section>`,
    block: html`${jsonElement('sample-index', { ...index, variantWords, starts })}${block}`,
  };
}

/** A filter with one choice is none. */
function filters(index: SampleIndex): Html[] {
  const { labels, benchmarks, tasks, models, variants, reasons } = index;
  const options = (names: readonly string[]): (readonly [string, string])[] =>
    names.map((name) => [name, name]);
  const distinct = (names: readonly string[]): string[] => [...new Set(names)].filter((name) => name !== '');
  const choices = [
    ['benchmark', 'Benchmark', benchmarks.map(({ name, title }) => [name, title])],
    [
      'model',
      'Model',
      models.toSorted().map((name) => [name, name === 'tuned' ? labels.tuned : labels.base]),
    ],
    ['language', 'Language', options(distinct(tasks.map(([, , , language]) => language)).sort())],
    ['cwe', 'Weakness', options(distinct(tasks.flatMap(([, , cwes]) => cwes)).sort(byNumber))],
    ['variant', 'Prompt', variants.map((name) => [name, variantWords[name] ?? name])],
    ['outcome', 'Verdict', options(outcomes.filter((name) => index.outcomes.includes(name)))],
    ['reason', 'Reason', options(reasons.toSorted())],
  ] as const satisfies readonly (readonly [string, string, readonly (readonly [string, string])[]])[];
  return [
    ...choices.flatMap(([name, title, found]) =>
      found.length > 1 ? [select('sample', name, title, found)] : [],
    ),
    searchField('sample', 'text', 'Task or reason'),
    checkbox('sample', 'inTexts', 'search prompts, replies and logs too'),
  ];
}

/** CWE-89 before CWE-117. */
function byNumber(left: string, right: string): number {
  return Number(left.replace('CWE-', '')) - Number(right.replace('CWE-', ''));
}
