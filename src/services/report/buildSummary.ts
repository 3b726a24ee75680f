/** From verdicts and the facts of a run to `summary.json`. Pure. */
import { SecpiError } from '../../contract/errors.ts';
import { summarySchema, type Summary } from '../../contract/summary.ts';
import { defaultBootstrap, type ScoreOptions } from '../metrics/index.ts';
import { formulas } from './formulas.ts';
import { trendFormulas } from './trendFormulas.ts';
import { summariseBenchmark } from './summary/benchmark.ts';
import type { SummaryInput } from './summary/input.ts';

export type { EvaluatedBenchmark, EvaluatedModel, SummaryInput } from './summary/input.ts';

/**
 * The result satisfies summarySchema; a ZodError here is a defect of the caller's facts.
 * @throws SecpiError INTERNAL when there is no benchmark, or verdicts do not fit what was asked for.
 */
export function buildSummary(input: SummaryInput): Summary {
  const bootstrap = input.bootstrap ?? defaultBootstrap;
  const options: ScoreOptions = { ...bootstrap, k: input.k };
  const trained = input.trainedCwes === null ? null : new Set(input.trainedCwes);
  const benchmarks = input.benchmarks.map((benchmark) =>
    summariseBenchmark(benchmark, input.models, trained, options),
  );
  const [headline] = benchmarks;
  if (headline === undefined) throw new SecpiError('INTERNAL', 'A summary needs at least one benchmark.');
  return summarySchema.parse({
    version: 1,
    run: input.run,
    models: headline.models,
    difference: headline.difference,
    benchmarks,
    skipped: [...input.skipped],
    labels: input.labels,
    training: input.training,
    costUsd: input.stages.reduce((sum, stage) => sum + stage.costUsd, 0),
    usage: input.usage,
    stages: [...input.stages],
    counts: input.counts,
    data: input.data ?? null,
    trend: input.trend ?? null,
    versions: { ...input.versions },
    formulas: {
      ...formulas(options.k, bootstrap),
      ...(input.trend === undefined ? {} : trendFormulas()),
    },
  } satisfies Summary);
}
