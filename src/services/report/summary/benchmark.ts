/** One benchmark's part of the summary: the scores of each model, and what sets them apart. */
import { SecpiError } from '../../../contract/errors.ts';
import type { VerdictRow } from '../../../contract/rows.ts';
import type { Agreement, BenchmarkSummary, ModelScores, UpstreamScores } from '../../../contract/summary.ts';
import {
  analyserAgreement,
  esrLike,
  scoreModel,
  tallyVerdicts,
  upstreamScores,
  type ScoreOptions,
  type TaskTally,
} from '../../metrics/index.ts';
import { compareModels } from './comparison.ts';
import type { EvaluatedBenchmark, EvaluatedModel, SummaryInput } from './input.ts';

interface Evaluation {
  readonly tallies: readonly TaskTally[];
  readonly scores: ModelScores;
  readonly agreement: Agreement[];
  readonly upstream: UpstreamScores;
}

/** @throws SecpiError INTERNAL when verdicts do not fit what was asked for, or belong to a model that is not named. */
export function summariseBenchmark(
  benchmark: EvaluatedBenchmark,
  models: SummaryInput['models'],
  trained: ReadonlySet<string> | null,
  options: ScoreOptions,
): BenchmarkSummary {
  const { name, measures, samplesPerTask } = benchmark;
  const base = evaluate(benchmark, models.base, benchmark.base, trained, options);
  const tuned = benchmark.tuned && evaluate(benchmark, models.tuned, benchmark.tuned, trained, options);
  const greedy = [models.base, models.tuned].every((model) => model?.sampling.temperature === 0);
  const design = { measures, trained, oneGreedyAnswer: greedy && samplesPerTask === 1 };
  return {
    name,
    measures,
    models: { base: base.scores, ...(tuned && { tuned: tuned.scores }) },
    difference: tuned === undefined ? null : compareModels(base.tallies, tuned.tallies, design, options),
    upstream: benchmark.hasUpstreamFigure
      ? { base: base.upstream, ...(tuned && { tuned: tuned.upstream }) }
      : null,
    references: benchmark.references,
    agreement: { base: base.agreement, ...(tuned && { tuned: tuned.agreement }) },
    versions: { ...benchmark.versions },
    excluded: [...benchmark.excluded],
    gradings: benchmark.gradings === undefined ? null : { ...benchmark.gradings },
  };
}

/** Everything but `perVariant` is about the first prompt variant. */
function evaluate(
  { name, measures, tasks, samplesPerTask, variants }: EvaluatedBenchmark,
  model: EvaluatedModel | undefined,
  verdicts: readonly VerdictRow[],
  trained: ReadonlySet<string> | null,
  options: ScoreOptions,
): Evaluation {
  if (model === undefined) {
    throw new SecpiError(
      'INTERNAL',
      `There are verdicts of ${name} by a model that the summary does not name.`,
    );
  }
  const tallies = tallyVerdicts({ benchmark: name, tasks, samplesPerTask, variants }, verdicts);
  const { all, ...groups } = scoreModel(tallies, measures, trained, options);
  const headline = verdicts.filter(({ variant }) => variant === variants[0]);
  const [headlineTallies = []] = tallies.values();
  const judgesSecurity = measures === 'functionAndSecurity';
  return {
    tallies: headlineTallies,
    scores: {
      model: model.model,
      benchmark: name,
      ...all,
      ...groups,
      esrLike: judgesSecurity ? esrLike(headlineTallies, headline, options) : null,
      retried: headline.filter(({ attempts }) => attempts > 1).length,
      truncated: headline.filter(({ truncated }) => truncated).length,
      reasons: countReasons(headline),
      sampling: model.sampling,
      k: options.k,
    },
    agreement: judgesSecurity ? analyserAgreement(headline) : [],
    upstream: upstreamScores(headline),
  };
}

/** How often each reason's word stands, without the sentence behind it; the most frequent first. */
function countReasons(verdicts: readonly VerdictRow[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of verdicts) {
    const word = reason.split(':', 1)[0] ?? reason;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
