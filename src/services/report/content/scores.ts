/** How the models did on a benchmark: the figures to judge by. */
import type { Summary } from '../../../contract/summary.ts';
import { facts, list, note, scoreTable, text, type Block } from '../blocks.ts';
import { evidence, groups, hasExact, headlineRows, scoreCell } from '../headline.ts';
import {
  anchorOf,
  benchmarkViews,
  namedModels,
  primaryMetric,
  titleOf,
  type BenchmarkView,
} from '../view.ts';
import { metricLabels, plural, pText } from '../words.ts';
import { count, differenceFigure, modelColumns, scoreFigure, scoreRow } from './cells.ts';

/** The measure to judge by of every benchmark, so that forgetting shows beside what was won. */
export function overviewBlocks(summary: Summary): Block[] {
  const views = benchmarkViews(summary);
  const [headline] = views;
  const rows = views.map((view) => {
    const metric = primaryMetric(view);
    const { base, tuned } = view.models;
    return {
      label: titleOf(view),
      note: metricLabels[metric],
      anchor: anchorOf(view),
      cells: [
        scoreFigure(scoreCell(base, metric)),
        ...(tuned === undefined
          ? []
          : [scoreFigure(scoreCell(tuned, metric)), differenceFigure(view.difference?.[metric] ?? null)]),
        {
          value: plural(base.tasks, 'task'),
          below: [plural(base.scenarios, 'scenario'), `n = ${count(base.samples)}`],
        },
      ],
    };
  });
  const others = [
    ...views.slice(1).flatMap((view) => {
      const [first] = conclusionsOf(view);
      return first === undefined ? [] : [`${titleOf(view)}: ${first}`];
    }),
    ...summary.skipped.map(({ name, reason }) => `${titleOf({ name })} was left out: ${reason}`),
  ];
  return [
    scoreTable(['benchmark', ...modelColumns(headline), 'rests on'], rows),
    ...(others.length === 0 ? [] : [list(others)]),
  ];
}

/** The headline of one benchmark. */
export function scoreBlocks(view: BenchmarkView): Block[] {
  const { base, tuned } = view.models;
  const paired = tuned !== undefined;
  const exact = hasExact(view) ? '; * exact, because the bootstrap says nothing there' : '';
  return [
    scoreTable(
      ['measure', ...modelColumns(view)],
      headlineRows(view).map((row) => scoreRow(view, row)),
    ),
    note(
      `${titleOf(view)}, ${paired ? 'each model ' : ''}${evidence(base)}; pass@${base.k}. In brackets: 95 % intervals, clustered on the scenario${exact}.${paired ? ' Differences in points, paired by task.' : ''}`,
    ),
    ...(view.measures === 'function'
      ? [
          note(
            'Tasks without security tests: what a model loses here, it forgot. Only functional tests count.',
          ),
        ]
      : []),
    ...design(view),
  ];
}

/** What the design could have found, and the test for greedy answers. */
function design({ difference, labels }: BenchmarkView): Block[] {
  if (difference === null) return [];
  const { minimalDetectable, mcnemar } = difference;
  const entries: Record<string, string> = {};
  if (minimalDetectable !== null)
    entries['smallest difference it can find'] =
      `${(minimalDetectable * 100).toFixed(1)} points (80 % power, p < 0.05)`;
  if (mcnemar !== null) {
    const { onlyBase, onlyTuned, both, neither, pValue } = mcnemar;
    entries['McNemar, greedy answers'] =
      `only ${labels.tuned} right ${count(onlyTuned)}, only ${labels.base} right ${count(onlyBase)}, both ${count(both)}, neither ${count(neither)}; exact p ${pText(pValue)}`;
  }
  return Object.keys(entries).length === 0 ? [] : [facts(entries)];
}

export function groupBlocks(view: BenchmarkView): Block[] {
  const found = groups(view);
  if (found.length === 0) return [text('Nothing is known about training, so nothing is split.')];
  return [
    scoreTable(
      ['measure', ...modelColumns(view)],
      found.flatMap(({ name, evidence, rows }) => [
        { label: name, note: evidence, kind: 'group' as const, cells: [] },
        ...rows.map((row) => scoreRow(view, row)),
      ]),
    ),
  ];
}

/** The sentences that the numbers allow, the measure to judge by first. */
export function conclusionsOf(view: BenchmarkView): readonly string[] {
  return view.difference?.conclusions ?? [];
}

export function modelBlocks(view: BenchmarkView): Block[] {
  const entries = namedModels(view).map(({ label, scores: { model, sampling } }) => [
    label,
    `${model}; temperature ${sampling.temperature}, top-p ${sampling.topP}, at most ${plural(sampling.maxTokens, 'token')}, seed ${sampling.seed}`,
  ]);
  return [facts(Object.fromEntries(entries))];
}
