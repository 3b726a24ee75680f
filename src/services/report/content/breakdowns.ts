/** A benchmark's scores by weakness, family, language and prompt variant, and for more tries. */
import type { GroupScores } from '../../../contract/summary.ts';
import { note, table, type Block, type Cell, type Row } from '../blocks.ts';
import { scoreCell } from '../headline.ts';
import { metricsOf, namedModels, primaryMetric, type BenchmarkView } from '../view.ts';
import { metricLabels, percent } from '../words.ts';
import { count, scoreFigure } from './cells.ts';

interface Line {
  readonly name: string;
  readonly scores: readonly (GroupScores | undefined)[];
  readonly extra: readonly Cell[];
  readonly filter?: Readonly<Record<string, string>>;
}

/** func and the measure to judge by, a pair of columns for each model, and how much stands behind a line. */
function breakdown(
  view: BenchmarkView,
  first: string,
  extra: readonly string[],
  lines: readonly Line[],
): Block {
  const shown = view.measures === 'function' ? (['func'] as const) : (['func', 'funcSec'] as const);
  const header = [
    first,
    ...extra,
    ...namedModels(view).flatMap(({ label }) => shown.map((metric) => `${label} ${metricLabels[metric]}`)),
    'samples',
    'tasks',
    'scenarios',
  ];
  const rows = lines.map(({ name, scores, extra, filter }): Row => {
    const size = scores.find((group) => group !== undefined);
    return {
      label: name,
      ...(filter && { filter }),
      cells: [
        ...extra,
        ...scores.flatMap((group) =>
          shown.map((metric): Cell => {
            if (group === undefined) return '–';
            return metric === primaryMetric(view)
              ? scoreFigure(scoreCell(group, metric))
              : percent(group[metric].value);
          }),
        ),
        ...(size === undefined ? ['', '', ''] : [size.samples, size.tasks, size.scenarios].map(count)),
      ],
    };
  });
  return table(header, rows);
}

export function weaknessBlocks(view: BenchmarkView): Block[] {
  const { base } = view.models;
  if (base.perCwe.length === 0) return [];
  const lines = base.perCwe.map(({ cwe, seen }) => ({
    name: cwe,
    extra: [seen === null ? 'not known' : seen ? 'seen' : 'held out ○'],
    scores: namedModels(view).map(({ scores }) => scores.perCwe.find((other) => other.cwe === cwe)),
    filter: { benchmark: view.name, cwe },
  }));
  return [
    breakdown(view, 'weakness', ['in training'], lines),
    note('* marks exact intervals, which take a scenario for one observation.'),
  ];
}

const namedKinds = {
  perFamily: { first: 'family', filter: null },
  perLanguage: { first: 'language', filter: 'language' },
  perVariant: { first: 'prompt variant', filter: 'variant' },
} as const;
export type NamedKind = keyof typeof namedKinds;

/** Empty where there is nothing to tell apart. */
export function namedBlocks(view: BenchmarkView, kind: NamedKind): Block[] {
  const { first, filter } = namedKinds[kind];
  const groups = view.models.base[kind];
  if (groups.length === 0 || (groups.length === 1 && kind !== 'perFamily')) return [];
  const lines = groups.map(({ name }) => ({
    name: variantWords[name] ?? name,
    extra: [],
    scores: namedModels(view).map(({ scores }) => scores[kind].find((other) => other.name === name)),
    // Samples cannot be filtered by family.
    ...(filter && { filter: { benchmark: view.name, [filter]: name } }),
  }));
  return [breakdown(view, first, [], lines)];
}

/** What a model is told besides the task. */
export const variantWords: Readonly<Record<string, string>> = {
  none: 'task alone',
  generic: 'generic reminder',
  specific: 'weaknesses named',
};

/** Empty where there is one k: the headline says it. */
export function passAtKBlocks(view: BenchmarkView): Block[] {
  const { base } = view.models;
  if (base.passAtK.length < 2) return [];
  const metrics = metricsOf(view);
  const header = namedModels(view).flatMap(({ label }) =>
    metrics.map((name) => `${label} ${metricLabels[name]}`),
  );
  const rows = base.passAtK.map(({ k }) => ({
    label: `@${k}`,
    cells: namedModels(view).flatMap(({ scores }) => {
      const found = scores.passAtK.find((other) => other.k === k);
      return metrics.map((name) => scoreFigure(found ? { score: found[name], exact: false } : null));
    }),
  }));
  return [
    table(['k tries', ...header], rows),
    note('At least one of k answers succeeds: the unbiased estimator on the same samples.'),
  ];
}
