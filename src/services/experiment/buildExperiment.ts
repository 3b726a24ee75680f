/** From the summaries of the variants and their verdicts to the summary of the experiment. Pure. */
import {
  experimentSummarySchema,
  type ExperimentSummary,
  type VariantBenchmark,
  type VariantSummary,
} from '../../contract/experimentSummary.ts';
import type { BenchmarkSummary, Summary } from '../../contract/summary.ts';
import { defaultBootstrap, type BootstrapOptions } from '../metrics/index.ts';
import { compareVariants, type Compared, type GradedVariant } from './compare.ts';
import { conclusionsOf } from './conclusions.ts';
import { experimentFormulas } from './formulas.ts';
import { holm } from './holm.ts';

export type FinishedVariant = Pick<VariantSummary, 'name' | 'workflowId' | 'changes'> &
  (
    | { readonly error: string; /** As told until it failed. */ readonly costUsd: number }
    | {
        /** uri of `summary`. */
        readonly uri: string;
        readonly summary: Summary;
        /** What the tuned model came to, by the name of the benchmark. */
        readonly graded: ReadonlyMap<string, GradedVariant>;
      }
  );

export interface ExperimentFacts extends Pick<ExperimentSummary, 'run' | 'description' | 'reference'> {
  /** All that were planned, in the order of the input. */
  readonly variants: readonly FinishedVariant[];
  readonly bootstrap?: BootstrapOptions;
}

export function buildExperiment({
  run,
  description,
  reference,
  variants,
  bootstrap = defaultBootstrap,
}: ExperimentFacts): ExperimentSummary {
  const [standard] = variants.filter(({ name }) => name === reference);
  const compared = variants.map((variant) => summarise(variant, standard, bootstrap));
  const corrected = correct(compared);
  const summary = {
    version: 1,
    kind: 'experiment',
    run,
    description,
    reference,
    variants: corrected,
    conclusions: conclusionsOf(corrected, reference),
    costUsd: corrected.reduce((sum, { costUsd }) => sum + costUsd, 0),
    formulas: experimentFormulas(variants.length - 1, bootstrap),
  } satisfies ExperimentSummary;
  return experimentSummarySchema.parse(summary);
}

function summarise(
  variant: FinishedVariant,
  reference: FinishedVariant | undefined,
  bootstrap: BootstrapOptions,
): VariantSummary {
  const { name, workflowId, changes } = variant;
  if ('error' in variant) {
    const { error, costUsd } = variant;
    return { name, workflowId, changes, error, summary: null, costUsd, stages: [], benchmarks: [] };
  }
  const { summary, uri, graded } = variant;
  const against = (benchmark: string): Compared | null => {
    if (variant === reference) return null;
    const other =
      reference === undefined || 'error' in reference ? undefined : reference.graded.get(benchmark);
    const own = graded.get(benchmark);
    if (other === undefined || own === undefined)
      return { notCompared: 'the reference was not evaluated on it' };
    return compareVariants(other, own, bootstrap);
  };
  return {
    name,
    workflowId,
    changes,
    error: null,
    summary: uri,
    costUsd: summary.costUsd,
    stages: summary.stages,
    benchmarks: summary.benchmarks.flatMap((benchmark) => scoresOf(benchmark, against(benchmark.name))),
  };
}

function scoresOf(benchmark: BenchmarkSummary, compared: Compared | null): VariantBenchmark[] {
  const { base, tuned } = benchmark.models;
  if (tuned === undefined) return [];
  const measure = benchmark.measures === 'function' ? 'func' : 'funcSec';
  const parts = (groups: typeof tuned.perLanguage) =>
    groups.map((group) => ({ name: group.name, tasks: group.tasks, score: group[measure] }));
  return [
    {
      name: benchmark.name,
      measure,
      base: base[measure],
      tuned: tuned[measure],
      tasks: tuned.tasks,
      scenarios: tuned.scenarios,
      perFamily: parts(tuned.perFamily),
      perLanguage: parts(tuned.perLanguage),
      // Corrected once all are known.
      difference:
        compared !== null && 'difference' in compared
          ? { ...compared.difference, adjustedPValue: compared.difference.pValue }
          : null,
      notCompared: compared !== null && 'notCompared' in compared ? compared.notCompared : null,
    },
  ];
}

/** The family is every variant that was planned, on each benchmark apart: failed ones do not make the others surer. */
function correct(variants: readonly VariantSummary[]): VariantSummary[] {
  const family = variants.length - 1;
  const adjusted = new Map<VariantBenchmark, number>();
  const names = new Set(variants.flatMap(({ benchmarks }) => benchmarks.map(({ name }) => name)));
  for (const name of names) {
    const compared = variants.flatMap(({ benchmarks }) =>
      benchmarks.filter((benchmark) => benchmark.name === name && benchmark.difference !== null),
    );
    const pValues = holm(
      compared.map(({ difference }) => difference?.pValue ?? 1),
      family,
    );
    for (const [index, benchmark] of compared.entries()) adjusted.set(benchmark, pValues[index] ?? 1);
  }
  return variants.map((variant) => ({
    ...variant,
    benchmarks: variant.benchmarks.map((benchmark) => {
      const { difference } = benchmark;
      const adjustedPValue = adjusted.get(benchmark) ?? 1;
      return difference === null
        ? benchmark
        : { ...benchmark, difference: { ...difference, adjustedPValue } };
    }),
  }));
}
