/** What is said of an experiment, as blocks. */
import type {
  ExperimentSummary,
  VariantBenchmark,
  VariantSummary,
} from '../../../contract/experimentSummary.ts';
import { facts, list, note, scoreTable, table, type Block, type Cell, type Row } from '../blocks.ts';
import { titleOf } from '../view.ts';
import { intervalText, metricLabels, percent, plural, points, pText, usd } from '../words.ts';

const NOTHING = '–';

export function conclusionBlocks({ description, conclusions }: ExperimentSummary): Block[] {
  return [...(description === null ? [] : [note(description)]), list(conclusions)];
}

/** Names of the benchmarks that any variant was evaluated on, the headline's first. */
export function benchmarksOf({ variants }: ExperimentSummary): string[] {
  return [...new Set(variants.flatMap(({ benchmarks }) => benchmarks.map(({ name }) => name)))];
}

export function scoreBlocks(experiment: ExperimentSummary, benchmark: string): Block[] {
  const { variants, reference } = experiment;
  const rows = variants.map((variant): Row => {
    const scores = scoresOn(variant, benchmark);
    const isReference = variant.name === reference;
    return {
      label: variant.name,
      ...(isReference ? { note: 'reference', kind: 'primary' as const } : {}),
      cells:
        scores === undefined
          ? [NOTHING, NOTHING, { text: variant.error ?? 'not evaluated on it' }, NOTHING]
          : [scoreCell(scores.base), scoreCell(scores.tuned), ...differenceCells(scores, isReference)],
    };
  });
  const [first] = variants.flatMap((variant) => scoresOn(variant, benchmark) ?? []);
  const measure = first === undefined ? '' : metricLabels[first.measure];
  return [
    scoreTable(['variant', 'base model', 'tuned model', `tuned − ${reference}`, 'p by Holm'], rows),
    ...(first === undefined
      ? []
      : [
          note(
            `${measure}; ${plural(first.tasks, 'task')} of ${plural(first.scenarios, 'scenario')}. In brackets: 95 % intervals, clustered on the scenario. Differences in points, paired by task.`,
          ),
        ]),
  ];
}

/** By family of weaknesses or by language: what was trained on one and asked of the other. */
export function partBlocks(
  { variants, reference }: ExperimentSummary,
  benchmark: string,
  part: 'perFamily' | 'perLanguage',
): Block[] {
  const names = [
    ...new Set(
      variants.flatMap((variant) => scoresOn(variant, benchmark)?.[part].map(({ name }) => name) ?? []),
    ),
  ];
  if (names.length < 2) return [];
  const finished = variants.filter((variant) => scoresOn(variant, benchmark) !== undefined);
  const rows = names.map((name): Row => {
    const found = finished.map((variant) =>
      scoresOn(variant, benchmark)?.[part].find((one) => one.name === name),
    );
    const tasks = found.find((one) => one !== undefined)?.tasks ?? 0;
    return {
      label: name,
      note: plural(tasks, 'task'),
      cells: found.map((one) => (one === undefined ? NOTHING : scoreCell(one.score))),
    };
  });
  const header = finished.map(({ name }) => (name === reference ? `${name} (reference)` : name));
  return [
    scoreTable([part === 'perFamily' ? 'family' : 'language', ...header], rows),
    note('Tuned models. Few tasks stand behind a line: read directions, not single figures. Not corrected.'),
  ];
}

/** Who made what, and what it cost. */
export function stageBlocks({ variants, costUsd }: ExperimentSummary): Block[] {
  const names = [...new Set(variants.flatMap(({ stages }) => stages.map(({ name }) => name)))];
  const rows = variants.map((variant): Row => ({
    label: variant.name,
    cells: [
      usd(variant.costUsd),
      ...names.map((name): Cell => {
        const stage = variant.stages.find((one) => one.name === name);
        if (stage === undefined) return NOTHING;
        return stage.reused ? 'shared' : { value: 'made', below: [usd(stage.costUsd)] };
      }),
    ],
  }));
  return [
    table(['variant', 'cost', ...names], rows),
    note(
      `Cost in all: ${usd(costUsd)}. "Shared": another variant or an earlier run made it, and it was not paid again.`,
    ),
  ];
}

export function changeBlocks({ variants, reference }: ExperimentSummary): Block[] {
  return [
    table(
      ['variant', 'what it changes of the base', 'run', 'summary'],
      variants.map(({ name, changes, workflowId, summary }): Row => ({
        label: name,
        ...(name === reference ? { note: 'reference' } : {}),
        cells: [
          { code: JSON.stringify(changes) },
          { code: workflowId },
          summary === null ? NOTHING : { code: summary },
        ],
      })),
    ),
  ];
}

export function methodBlocks({ formulas, run }: ExperimentSummary): Block[] {
  const { workflowId, runId, startedAt, finishedAt } = run;
  return [facts({ ...formulas, workflow: workflowId, run: runId, started: startedAt, finished: finishedAt })];
}

export function titleOfBenchmark(name: string): string {
  return titleOf({ name });
}

function scoresOn({ benchmarks }: VariantSummary, name: string): VariantBenchmark | undefined {
  return benchmarks.find((benchmark) => benchmark.name === name);
}

function scoreCell(score: VariantBenchmark['tuned']): Cell {
  return { value: percent(score.value), below: [intervalText(score)] };
}

function differenceCells({ difference, notCompared }: VariantBenchmark, isReference: boolean): Cell[] {
  if (difference === null) return [{ text: isReference ? '' : `not compared: ${notCompared ?? ''}` }, ''];
  const { value, low, high, pValue, adjustedPValue } = difference;
  return [
    { value: points(value), below: [`[${points(low)}, ${points(high)}]`, `p ${pText(pValue)} alone`] },
    pText(adjustedPValue),
  ];
}
