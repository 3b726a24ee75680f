/**
 * What the workflows ask of the workers, by queue. Inputs and results are references and counts: a few KB.
 * Every activity throws ApplicationFailure with a code of the error catalogue as its type.
 */
import type { BenchmarkName } from './benchmarkNames.ts';
import type { Usage } from './manifest.ts';
import type { Part } from './refs.ts';
import type {
  Calibration,
  Dataset,
  DistillSettings,
  Endpoint,
  EvaluateSettings,
  FilterSettings,
  FinetuneSettings,
  ModelSource,
  Register,
} from './recipe.ts';
import type { References } from './summary.ts';
import type {
  AskInput,
  BenchmarkResult,
  BudgetHolder,
  Estimate,
  EstimateInput,
  EvaluateInput,
  EvaluateResult,
  ExperimentActivities,
  FineTuneResult,
  NightActivities,
  RefreshActivities,
  RefreshDataActivities,
  ReportFiles,
  SecpiResult,
  StageResult,
} from './workflows.ts';

/** `reuse: "never"` gives a run fingerprints of its own. */
export type Reuse = 'always' | 'never';

/** A stage's artefact: finished by some run, or this run's to make under an epoch. */
export type OpenedStage<Result = StageResult> =
  | { readonly status: 'published'; readonly result: Result }
  | {
      readonly status: 'owned';
      readonly fingerprint: string;
      readonly epoch: number;
      readonly shards: number;
      readonly rows: number;
      /** What people should know before it is paid for, e.g. that the prompt is new to the ledger; "" for nothing. */
      readonly note: string;
    };

export interface ShardResult {
  readonly rows: number;
  readonly bad: number;
  readonly usage: Usage;
  /** The shard was finished by an earlier attempt or run. */
  readonly reused: boolean;
}

export interface Environment {
  /** The project's search attributes that the namespace knows. */
  readonly searchAttributes: readonly string[];
}

export interface RunSummaryInput {
  /** Name of the recipe. */
  readonly recipe: string;
  /** uri of the model before training. */
  readonly model: string;
  readonly evaluate: EvaluateSettings;
  readonly startedAt: string;
  readonly stages: readonly ReportedStage[];
  readonly filter: StageResult;
  readonly distill: StageResult;
  readonly fineTune: FineTuneResult;
  readonly base: ReportedEvaluation;
  readonly tuned: ReportedEvaluation;
}

export interface EvaluationReportInput {
  readonly input: EvaluateInput;
  readonly startedAt: string;
  readonly result: ReportedEvaluation;
}

/** Where a report finds what an evaluation came to: a history carries no figures twice. */
export interface ReportedEvaluation {
  readonly skipped: EvaluateResult['skipped'];
  readonly benchmarks: readonly {
    readonly name: BenchmarkName;
    /** uris: of what was asked, of the samples, of the verdicts. */
    readonly benchmark: string;
    readonly generation: string;
    readonly artifact: string;
    readonly seconds: number;
    readonly reused: boolean;
    readonly rows: number;
    readonly costUsd: number;
  }[];
}

export interface ReportedStage {
  readonly name: string;
  readonly artifact: string;
  readonly seconds: number;
  readonly reused: boolean;
  readonly rows: number;
}

/** Queue `secpi`: small steps. */
export interface ControlActivities extends NightActivities, ExperimentActivities, RefreshActivities {
  /** Proves that the store is fit and tells what the namespace knows. */
  describeEnvironment(): Promise<Environment>;
  writeReport(input: RunSummaryInput): Promise<SecpiResult>;
  /** Of an evaluation that was started alone. */
  writeEvaluationReport(input: EvaluationReportInput): Promise<ReportFiles>;
  /** Opening waits for another run that makes the same: here, where no slot is missed by that run. */
  openFilter(
    input: Opening & { dataset: string; filter: FilterSettings; labelsSha256: string | null },
  ): Promise<OpenedStage>;
  openTraces(input: Opening & { filtered: string; distill: DistillSettings }): Promise<OpenedStage>;
  openAnswers(input: Opening & { dataset: string; ask: AskInput }): Promise<OpenedStage>;
  /** Heartbeats and signals are lost with their host: how far a training is, the store tells. */
  readTraining(input: { fingerprint: string }): Promise<TrainingRecord>;
  /** Enters a published model under a name, once for each content. */
  registerModel(input: { artifact: string; register: Register }): Promise<{
    readonly name: string;
    readonly version: number;
    readonly promoted: boolean;
    /** Why, for people; "" where nothing was to be decided. */
    readonly reason: string;
  }>;
}

export interface EndpointCheck {
  /** Path in the input, for the error. */
  readonly field: string;
  readonly endpoint: Endpoint;
}

export interface ShardTask {
  readonly fingerprint: string;
  readonly index: number;
  readonly shardRows: number;
  /** The artefact whose rows are worked on. */
  readonly input: string;
  /** Whom money is asked of; null where there is no cap. */
  readonly budget: BudgetHolder | null;
}

export interface Opening {
  readonly reuse: Reuse;
  /** The first run of a stage that goes on as others: its own artefact with reuse "never". */
  readonly firstRun: string;
}

export interface Publication extends Opening {
  readonly shards: number;
  readonly budget: BudgetHolder | null;
}

/** Another run makes the same: its workflow waits, not a slot of a worker that the other run may need. */
export interface Busy {
  readonly status: 'busy';
  readonly heldBy: string;
}

/** A shard of distil is done, or its candidates must run their rows' own tests first, on another machine. */
export type DistilledShard =
  | { readonly status: 'done'; readonly result: ShardResult }
  | { readonly status: 'test'; readonly candidates: Part };

/** Queue `secpi-data`: reading datasets and asking models. */
export interface DataActivities extends RefreshDataActivities {
  checkEndpoints(checks: readonly EndpointCheck[]): Promise<void>;
  checkDataset(dataset: Dataset): Promise<{ readonly bytes: number }>;
  importDataset(input: { dataset: Dataset; reuse: Reuse }): Promise<StageResult | Busy>;
  /** Of the labelled rows of a calibration. */
  hashLabels(input: { calibration: Calibration }): Promise<string>;
  /** Measures the classifier on labelled rows. Throws CALIBRATION_FAILED below the gate. */
  calibrateFilter(input: {
    fingerprint: string;
    filter: FilterSettings;
    budget: BudgetHolder | null;
  }): Promise<void>;
  classifyShard(input: ShardTask & { filter: FilterSettings }): Promise<ShardResult>;
  publishFilter(
    input: Publication & { dataset: string; filter: FilterSettings; labelsSha256: string | null },
  ): Promise<StageResult>;
  /** Throws ANALYSER_UNAVAILABLE. */
  checkOracles(input: { distill: DistillSettings }): Promise<void>;
  /** `verdicts`: what the rows' own tests said of the candidates handed out before. */
  distilShard(
    input: ShardTask & { distill: DistillSettings; verdicts: readonly Part[] },
  ): Promise<DistilledShard>;
  publishTraces(input: Publication & { filtered: string; distill: DistillSettings }): Promise<StageResult>;
  /** Samples through an endpoint that is there already. */
  askSamples(
    input: SampleInput & { endpoint: Endpoint; field: string; budget: BudgetHolder | null },
  ): Promise<GeneratedSamples | Busy>;
  answerShard(input: ShardTask & { ask: AskInput }): Promise<ShardResult>;
  publishAnswers(input: Publication & { dataset: string; ask: AskInput }): Promise<StageResult>;
  estimateCost(input: { dataset: string; estimate: EstimateInput }): Promise<Estimate>;
}

export interface TrainingTask {
  readonly traces: string;
  readonly finetune: FinetuneSettings;
}

export type OpenedTraining =
  | { readonly status: 'published'; readonly result: FineTuneResult }
  /** `record`: an earlier run may have begun it. */
  | { readonly status: 'owned'; readonly fingerprint: string; readonly record: TrainingRecord };

export interface TrainingAttempt extends Opening, TrainingTask {
  readonly fingerprint: string;
  /** Attempts of the run in order: a later one fences those before it. */
  readonly attempt: number;
  /** As asked for, or smaller after memory ran out. */
  readonly microBatchRows: number;
  /** Divergences rolled back so far. */
  readonly rollbacks: number;
  /** When the run began (ISO 8601): what is told of an old run is told more rarely. */
  readonly runStartedAt: string;
}

export type AttemptEnd =
  | { readonly status: 'trained'; readonly result: FineTuneResult }
  /** Saved at `step`, because the control query wants a pause. */
  | { readonly status: 'paused'; readonly step: number };

/** How far a training is, as the store knows it. */
export interface TrainingRecord {
  /** Step; 0 when there is none. */
  readonly newestCheckpoint: number;
  /** Divergences rolled back before it. */
  readonly rollbacks: number;
  /** Whether the last attempt found a trainer that still ran: then the loss before it was none of the trainer's. */
  readonly lastAdopted: boolean;
}

/** A benchmark as a worker with its files published it. */
export interface ReadyBenchmark {
  readonly name: BenchmarkName;
  /** uri of its artefact: tasks and prompts. */
  readonly artifact: string;
  readonly tasks: number;
}

export type PreparedBenchmark =
  | ({ readonly status: 'ready' } & ReadyBenchmark)
  /** Allowed by `skipUnavailable`. */
  | { readonly status: 'skipped'; readonly name: BenchmarkName; readonly reason: string };

export interface SampleInput {
  readonly benchmarks: readonly ReadyBenchmark[];
  readonly evaluate: EvaluateSettings;
  readonly reuse: Reuse;
  readonly stage: string;
}

export interface GenerateInput extends SampleInput {
  readonly model: ModelSource;
}

/** One artefact a benchmark, in the order asked for. */
export interface GeneratedSamples {
  readonly status: 'done';
  readonly generations: readonly StageResult[];
}

/** Queue `secpi-gpu`: training and generation. */
export interface GpuActivities {
  checkModel(input: { model: ModelSource; field: string }): Promise<void>;
  /** What the training is, by the content of its model and traces; takes its artefact for this run. */
  openTraining(input: Opening & TrainingTask): Promise<OpenedTraining | Busy>;
  /** One attempt: adopts this host's trainer or resumes from the newest checkpoint of the store. */
  trainModel(input: TrainingAttempt): Promise<AttemptEnd>;
  generateSamples(input: GenerateInput): Promise<GeneratedSamples | Busy>;
}

export interface Grading {
  /** uris of the artefacts. */
  readonly generation: string;
  readonly benchmark: string;
  readonly name: BenchmarkName;
  readonly evaluate: EvaluateSettings;
  readonly reuse: Reuse;
}

/** As it was opened: who grades and publishes has the same tools and tests. */
interface OpenedWith {
  readonly versions: Readonly<Record<string, string>>;
}

export type OpenedGrading =
  | Extract<OpenedStage<GradedResult>, { status: 'published' }>
  | (Extract<OpenedStage<GradedResult>, { status: 'owned' }> & OpenedWith);

export interface GradeTask extends Grading, OpenedWith {
  readonly fingerprint: string;
  readonly index: number;
}

/** Queue `secpi-sandbox`: running hostile code. */
export interface SandboxActivities {
  /** Publishes what a benchmark asks. Throws BENCHMARK_UNAVAILABLE. */
  prepareBenchmark(input: {
    name: BenchmarkName;
    evaluate: EvaluateSettings;
    field: string;
  }): Promise<PreparedBenchmark>;
  /** Grades the benchmark's own solutions. Throws REFERENCES_FAIL. */
  gradeReferences(input: ReferencesInput): Promise<References>;
  openEvaluation(input: Grading & { stage: string }): Promise<OpenedGrading | Busy>;
  gradeShard(input: GradeTask): Promise<ShardResult>;
  /** Runs the rows' own tests against candidates of distil. */
  testTraces(input: { fingerprint: string; candidates: Part }): Promise<{ verdicts: Part }>;
  publishEvaluation(
    input: Grading & OpenedWith & { fingerprint: string; shards: number; references: References },
  ): Promise<GradedResult>;
}

export interface ReferencesInput {
  readonly name: BenchmarkName;
  readonly benchmark: string;
  readonly evaluate: EvaluateSettings;
  readonly stage: string;
}

/** A grading's result, before the generation is added to it. */
export type GradedResult = Omit<BenchmarkResult, 'generation' | 'generationReused' | 'generationCostUsd'>;
