/** What the list of samples is filtered by, small enough to stand in the page as it is. */
import type { BenchmarkView } from '../view.ts';
import { titleOf } from '../view.ts';
import { visibleLine } from '../visible.ts';
import { Numbering, type PlacedSample } from './rows.ts';

export interface SampleIndex {
  readonly labels: { readonly base: string; readonly tuned: string };
  /** `upstream`: it has a figure of its own way of counting. */
  readonly benchmarks: readonly {
    readonly name: string;
    readonly title: string;
    readonly upstream: boolean;
  }[];
  /** Number of the benchmark, task id, weaknesses, language. */
  readonly tasks: readonly (readonly [number, string, readonly string[], string])[];
  readonly models: readonly string[];
  readonly variants: readonly string[];
  readonly outcomes: readonly string[];
  readonly reasons: readonly string[];
  /** Six numbers a sample: task, model, variant, sample, outcome, reason. */
  readonly rows: readonly number[];
}

const MAX_REASON_LENGTH = 60;

export function indexSamples(samples: readonly PlacedSample[], views: readonly BenchmarkView[]): SampleIndex {
  const [tasks, models, variants, outcomes, reasons] = [
    new Numbering(),
    new Numbering(),
    new Numbering(),
    new Numbering(),
    new Numbering(),
  ];
  const benchmarks = views.map((view) => ({
    name: view.name,
    title: visibleLine(titleOf(view)),
    upstream: view.upstream !== null,
  }));
  const rows = samples.flatMap(({ model, verdict, cwes, outcome }) => {
    const { benchmark, taskId, cwe, language } = verdict;
    const weaknesses = cwes ?? (cwe === null ? [] : [cwe]);
    const place = benchmarks.findIndex(({ name }) => name === benchmark);
    return [
      tasks.of(
        JSON.stringify([place, visibleLine(taskId), weaknesses.map(visibleLine), visibleLine(language)]),
      ),
      models.of(model),
      variants.of(verdict.variant),
      verdict.sample,
      outcomes.of(outcome),
      reasons.of(reasonWord(verdict.reason)),
    ];
  });
  return {
    labels: {
      base: visibleLine(views[0]?.labels.base ?? 'base'),
      tuned: visibleLine(views[0]?.labels.tuned ?? 'tuned'),
    },
    benchmarks,
    tasks: tasks.texts.map((text): SampleIndex['tasks'][number] => JSON.parse(text)),
    models: models.texts,
    variants: variants.texts,
    outcomes: outcomes.texts,
    reasons: reasons.texts,
    rows,
  };
}

/** A reason is a word, or a word with a sentence behind it. */
function reasonWord(reason: string): string {
  const [word = ''] = visibleLine(reason).split(':');
  return word.length <= MAX_REASON_LENGTH ? word : `${word.slice(0, MAX_REASON_LENGTH)}…`;
}
