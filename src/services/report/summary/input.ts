/** The facts of a run that its summary is made of. */
import type { BenchmarkName, PromptVariant } from '../../../contract/benchmarkNames.ts';
import type { Sampling } from '../../../contract/recipe.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../../contract/rows.ts';
import type {
  DataSummary,
  References,
  StageSummary,
  Summary,
  TrainingSummary,
} from '../../../contract/summary.ts';
import type { Trend } from '../../../contract/trend.ts';
import type { BootstrapOptions, Measures } from '../../metrics/index.ts';

/** What was evaluated, e.g. its uri, and how it was sampled. */
export interface EvaluatedModel {
  readonly model: string;
  readonly sampling: Sampling;
}

/** The gradings of both models on one benchmark. */
export interface EvaluatedBenchmark {
  readonly name: BenchmarkName;
  readonly measures: Measures;
  /** With samplesPerTask and variants the denominator, fixed before grading. */
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  /** The first is the one that scores are about; the others are told beside it. */
  readonly variants: readonly PromptVariant[];
  readonly base: readonly VerdictRow[];
  /** Absent where one model was evaluated alone. */
  readonly tuned?: readonly VerdictRow[];
  /** Its own method counts otherwise, and verdicts say what it would have counted. */
  readonly hasUpstreamFigure: boolean;
  readonly references: References | null;
  readonly versions: Readonly<Record<string, string>>;
  /** What was left out, and why, a sentence each. */
  readonly excluded: readonly string[];
  /** uris of the artefacts that hold the verdicts; absent where they are in no store. */
  readonly gradings?: { readonly base: string; readonly tuned?: string };
}

export interface SummaryInput {
  readonly run: Summary['run'];
  readonly labels: Summary['labels'];
  readonly models: { readonly base: EvaluatedModel; readonly tuned?: EvaluatedModel };
  /** The headline's first. */
  readonly benchmarks: readonly EvaluatedBenchmark[];
  readonly skipped: Summary['skipped'];
  /** Weaknesses of the training traces; null where nothing is known about training. */
  readonly trainedCwes: readonly string[] | null;
  readonly training: TrainingSummary | null;
  readonly usage: Summary['usage'];
  readonly stages: readonly StageSummary[];
  readonly counts: Summary['counts'];
  /** Of `dataSummaryOf`; absent where the run made no data. */
  readonly data?: DataSummary;
  /** Of `recordNights`; absent but of a re-evaluation. */
  readonly trend?: Trend;
  readonly versions: Readonly<Record<string, string>>;
  /** Tries of pass@k; at most the samples of a task of any benchmark. */
  readonly k: number;
  readonly bootstrap?: BootstrapOptions;
}
