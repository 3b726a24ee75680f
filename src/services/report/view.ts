/** A benchmark of a summary as the reports look at it: with the names of the models, whatever the summary's age. */
import type { BenchmarkSummary, ModelScores, Summary } from '../../contract/summary.ts';

const metrics = ['func', 'secure', 'funcSec'] as const;
export type Metric = (typeof metrics)[number];

export type ModelKey = 'base' | 'tuned';
export type Labels = Summary['labels'];

export interface BenchmarkView extends Omit<BenchmarkSummary, 'name'> {
  /** Free text in summaries of older versions. */
  readonly name: string;
  readonly labels: Labels;
}

/** The headline's first. A summary of an older version has one, without what was not counted then. */
export function benchmarkViews(summary: Summary): [BenchmarkView, ...BenchmarkView[]] {
  const labels = labelsOf(summary);
  const [first, ...others] = summary.benchmarks.map((benchmark) => ({ ...benchmark, labels }));
  if (first !== undefined) return [first, ...others];
  const { models, difference } = summary;
  return [
    {
      name: models.base.benchmark,
      labels,
      measures: 'functionAndSecurity',
      models,
      difference,
      upstream: null,
      references: null,
      agreement: { base: [] },
      versions: {},
      excluded: [],
      gradings: null,
    },
  ];
}

/** A model that stands alone is no base of anything; two of one name are told apart. */
export function labelsOf({ labels, models }: Pick<Summary, 'labels' | 'models'>): Labels {
  if (models.tuned === undefined) return { ...labels, base: labels.base === 'base' ? 'model' : labels.base };
  return labels.base === labels.tuned
    ? { base: `${labels.base} (first)`, tuned: `${labels.tuned} (second)` }
    : labels;
}

export interface NamedModel {
  readonly key: ModelKey;
  readonly label: string;
  readonly scores: ModelScores;
}

/** The models that were evaluated, by the name that reports give them. */
export function namedModels({
  models: { base, tuned },
  labels,
}: Pick<BenchmarkView, 'models' | 'labels'>): NamedModel[] {
  return [
    { key: 'base', label: labels.base, scores: base },
    ...(tuned === undefined ? [] : [{ key: 'tuned' as const, label: labels.tuned, scores: tuned }]),
  ];
}

/** What the benchmark can measure. */
export function metricsOf({ measures }: Pick<BenchmarkView, 'measures'>): readonly Metric[] {
  return measures === 'function' ? ['func'] : metrics;
}

/** The measure to judge by. */
export function primaryMetric({ measures }: Pick<BenchmarkView, 'measures'>): Metric {
  return measures === 'function' ? 'func' : 'funcSec';
}

export function differenceLabel({ base, tuned }: Labels): string {
  return `${tuned} − ${base}`;
}

/** Where its section stands in the page. */
export function anchorOf(view: BenchmarkView): string {
  return `benchmark-${view.name.replaceAll(/[^A-Za-z0-9]+/g, '-')}`;
}

const titles: Readonly<Record<string, string>> = {
  suite: 'Our suite',
  cweval: 'CWEval',
  baxbench: 'BaxBench',
  guard: 'Guard: plain programming',
};

export function titleOf({ name }: Pick<BenchmarkView, 'name'>): string {
  return Object.hasOwn(titles, name) ? (titles[name] ?? name) : name;
}
