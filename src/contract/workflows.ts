/**
 * The public interface: workflow types, task queues, their inputs and results, queries, signals, updates and
 * search attributes. Names are an API: change them only with a migration note in CHANGELOG.md.
 */
import { z } from 'zod';
import { benchmarkNames } from './benchmarkNames.ts';
import { countsSchema, usageSchema } from './manifest.ts';
import {
  budgetSchema,
  datasetSchema,
  endpointSchema,
  distillSchema,
  evaluateSchema,
  filterSchema,
  finetuneSchema,
  modelSourceSchema,
  reuseSchema,
} from './recipe.ts';
import { artifactRefSchema } from './refs.ts';
import { scoreSchema } from './summary.ts';

export const queues = {
  control: 'secpi',
  data: 'secpi-data',
  gpu: 'secpi-gpu',
  sandbox: 'secpi-sandbox',
} as const;
export type WorkerKind = keyof typeof queues;

export const workflowTypes = [
  'secpi',
  'filterDataset',
  'distillTraces',
  'fineTune',
  'sweep',
  'evaluateModel',
  'askModel',
  'estimateCost',
] as const;
export type WorkflowType = (typeof workflowTypes)[number];

export const stageNames = [
  'filter',
  'distil',
  'fine-tune',
  'evaluate base',
  'evaluate tuned',
  'report',
] as const;
export type StageName = (typeof stageNames)[number];

/** Custom search attributes by name; `secpi doctor` and the workers check that the namespace knows them. */
export const searchAttributes = {
  SecpiStage: 'Keyword',
  SecpiRecipe: 'Keyword',
  SecpiModel: 'Keyword',
  SecpiDataset: 'Keyword',
  SecpiReused: 'Bool',
  SecpiCostUsd: 'Double',
  SecpiFuncSec: 'Double',
} as const;
export type SearchAttributeName = keyof typeof searchAttributes;

const inputBase = { $schema: z.string().optional(), version: z.literal(1), reuse: reuseSchema };

export const filterInputSchema = z.strictObject({
  ...inputBase,
  dataset: datasetSchema,
  filter: filterSchema,
  budget: budgetSchema.optional(),
});
export type FilterInput = z.infer<typeof filterInputSchema>;

const artifactUri = (kind: string): z.ZodString =>
  z
    .string()
    .regex(
      new RegExp(`^s3://[^/]+/(?:.+/)?artifacts/${kind}/[0-9a-f]{64}$`),
      `must be the uri of a published ${kind} artefact`,
    );

export const distillInputSchema = z.strictObject({
  ...inputBase,
  filtered: artifactUri('filter'),
  distill: distillSchema,
  budget: budgetSchema.optional(),
});
export type DistillInput = z.infer<typeof distillInputSchema>;

export const fineTuneInputSchema = z.strictObject({
  ...inputBase,
  traces: artifactUri('traces'),
  finetune: finetuneSchema,
});
export type FineTuneInput = z.infer<typeof fineTuneInputSchema>;

/** The queue of a class of GPU workers; of those without a class where none is given. */
export function gpuQueue(gpuClass?: string): string {
  return gpuClass === undefined ? queues.gpu : `${queues.gpu}-${gpuClass}`;
}

/** Several trainings on the same traces, compared by held-out loss. */
export const sweepInputSchema = z.strictObject({
  ...inputBase,
  traces: artifactUri('traces'),
  trainings: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, ".", "_", "-"'),
        finetune: finetuneSchema,
      }),
    )
    .min(1)
    .max(200)
    .refine((trainings) => new Set(trainings.map(({ name }) => name)).size === trainings.length, {
      message: 'two trainings have the same name',
    }),
  /** Trainings worked on at the same time; workers bound it too. */
  parallel: z.int().min(1).max(64).default(4),
});
export type SweepInput = z.infer<typeof sweepInputSchema>;

export const evaluateInputSchema = z
  .strictObject({
    ...inputBase,
    /** Weights, served by a GPU worker. */
    model: modelSourceSchema.optional(),
    /** Instead of weights: a model that is served already. Its sampling is that of `evaluate`. */
    endpoint: endpointSchema.optional(),
    budget: budgetSchema.optional(),
    /** How the model is called in reports. */
    label: z.string().min(1).max(64).default('model'),
    evaluate: evaluateSchema,
  })
  .refine(({ model, endpoint }) => (model === undefined) !== (endpoint === undefined), {
    message: 'needs exactly one of model and endpoint',
    path: ['model'],
  })
  .refine(({ budget, endpoint }) => budget === undefined || endpoint !== undefined, {
    message: 'means something only with an endpoint, since weights of your own cost no answers',
    path: ['budget'],
  });
export type EvaluateInput = z.infer<typeof evaluateInputSchema>;

/** Every row of a dataset as it stands through one model: the engine of filter and distil without their methods. */
export const askInputSchema = z.strictObject({
  ...inputBase,
  dataset: datasetSchema,
  model: endpointSchema,
  shardRows: z.int().min(1).max(10_000).default(500),
  parallelShards: z.int().min(1).max(200).default(8),
  maxBadRowShare: z.number().min(0).max(1).default(0.05),
  budget: budgetSchema.optional(),
});
export type AskInput = z.infer<typeof askInputSchema>;

/** The result of one stage. */
export const stageResultSchema = z.strictObject({
  artifact: artifactRefSchema,
  reused: z.boolean(),
  counts: countsSchema,
  usage: usageSchema,
  seconds: z.number(),
});
export type StageResult = z.infer<typeof stageResultSchema>;

export const fineTuneResultSchema = stageResultSchema.extend({
  steps: z.int(),
  evalLossBefore: z.number().nullable(),
  evalLossAfter: z.number().nullable(),
  guardLossBefore: z.number().nullable(),
  guardLossAfter: z.number().nullable(),
  preemptions: z.int(),
  resumedFromSteps: z.array(z.int()),
  /** What was trained again after losses, as far as the workflow was told of it. */
  stepsRepeated: z.int(),
  gpuHours: z.number(),
  /** Set when `stopEarly` ended it: the step of the best checkpoint, whose weights these are. */
  stoppedEarlyAtStep: z.int().nullable(),
  /** Rows of one forward pass at the end: smaller than asked for after memory ran out. */
  microBatchRows: z.int(),
  rollbacks: z.int(),
  /** Entry of the model registry, when the recipe asks for one. */
  registered: z
    .strictObject({
      name: z.string(),
      version: z.int(),
      promoted: z.boolean(),
      /** Why it was promoted or not, for people; "" where nothing was to be decided. */
      reason: z.string(),
    })
    .nullable(),
});
export type FineTuneResult = z.infer<typeof fineTuneResultSchema>;

export const sweepResultSchema = z.strictObject({
  /** Best first; failed ones last. */
  trainings: z.array(
    z.strictObject({
      name: z.string(),
      artifact: z.string().nullable(),
      evalLossAfter: z.number().nullable(),
      guardLossBefore: z.number().nullable(),
      guardLossAfter: z.number().nullable(),
      steps: z.int().nullable(),
      gpuHours: z.number().nullable(),
      /** Code, problem and remedy of one that failed. */
      error: z.string().nullable(),
    }),
  ),
  /** Lowest held-out loss; null when none was measured. */
  best: z.string().nullable(),
});
export type SweepResult = z.infer<typeof sweepResultSchema>;

const reportFileSchema = z.strictObject({ uri: z.string(), sha256: z.string() });
export const reportFilesSchema = z.strictObject({
  summary: reportFileSchema,
  report: reportFileSchema,
  markdown: reportFileSchema,
});
export type ReportFiles = z.infer<typeof reportFilesSchema>;

/** One benchmark of an evaluation; `artifact` is its grading. */
export const benchmarkResultSchema = stageResultSchema.extend({
  name: z.enum(benchmarkNames),
  /** What was asked: the artefact of the benchmark's tasks and prompts. */
  benchmark: z.string(),
  generation: artifactRefSchema,
  generationReused: z.boolean(),
  /** What this run paid for its samples. */
  generationCostUsd: z.number().nonnegative(),
  func: scoreSchema,
  /** Null of a benchmark without security tests. */
  secure: scoreSchema.nullable(),
  funcSec: scoreSchema.nullable(),
});
export type BenchmarkResult = z.infer<typeof benchmarkResultSchema>;

/** The first benchmark's, as the headline; `reused` is true when everything was there. */
export const evaluateResultSchema = stageResultSchema.extend({
  func: scoreSchema,
  secure: scoreSchema.nullable(),
  funcSec: scoreSchema.nullable(),
  benchmarks: z.array(benchmarkResultSchema).min(1),
  skipped: z.array(z.strictObject({ name: z.enum(benchmarkNames), reason: z.string() })),
  /** Only of an evaluation that was started alone; a chain writes one report of all. */
  report: reportFilesSchema.nullable(),
});
export type EvaluateResult = z.infer<typeof evaluateResultSchema>;

/** The result of the whole chain: small; the whole story is in the summary and the report. */
export const secpiResultSchema = reportFilesSchema.extend({
  costUsd: z.number(),
  reusedStages: z.array(z.string()),
});
export type SecpiResult = z.infer<typeof secpiResultSchema>;

export type StageState = 'waiting' | 'running' | 'paused' | 'done' | 'reused' | 'failed' | 'cancelled';

/** Of a training, as its host and its workflow know it. */
export interface TrainingFigures {
  /** Of the run; what a host tells of another attempt than the running one comes too late. */
  readonly attempt: number;
  readonly step: number;
  readonly totalSteps: number | null;
  /** Nats per trained token, of the last step. */
  readonly loss: number | null;
  readonly tokensPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Share of the GPU's bf16 peak that the model's arithmetic used; null where the peak is not known. */
  readonly peakShare: number | null;
  /** Step of the newest checkpoint that is safe in the store. */
  readonly lastCheckpoint: number | null;
  /** The step that the running attempt began after. */
  readonly resumedFrom: number;
  readonly gpuHours: number;
  readonly preemptions: number;
  readonly stepsRepeated: number;
}

/** One line of the progress query. Units of rows: dataset rows, traces, steps or samples, as `unit` says. */
export interface StageProgress {
  readonly name: string;
  readonly state: StageState;
  readonly unit: 'rows' | 'traces' | 'steps' | 'samples' | 'files';
  readonly done: number;
  readonly total: number | null;
  readonly costUsd: number;
  /** What happens now, in a few words: "loss 0.71 · 9 tokens/s", "attempt 2, resumed from step 20". */
  readonly note: string;
  readonly artifact: string | null;
  readonly seconds: number | null;
  /** Only of a training. */
  readonly training?: TrainingFigures;
}

/** Answer of the `progress` query. */
export interface Progress {
  readonly workflow: WorkflowType;
  readonly state: StageState;
  /** Name of the stage (or stages) running now. */
  readonly stage: string;
  readonly rows: { readonly done: number; readonly total: number | null };
  readonly costUsd: number;
  /** Training step, when there is one. */
  readonly step: number | null;
  readonly stages: readonly StageProgress[];
}

/** Signal `progress`: an activity to its workflow, or a child to its parent. At most one a few seconds. */
export interface ProgressSignal {
  readonly stage: string;
  readonly progress: Partial<Omit<StageProgress, 'name' | 'training'>> & {
    /** What a host tells is merged into what is known. */
    readonly training?: Partial<TrainingFigures>;
  };
}

/** Answer of the `control` query, polled by long activities: commands come down without history. */
export interface Control {
  /** Raised by the update `checkpointNow`: the trainer saves when it sees a higher number. */
  readonly checkpointRequests: number;
  /** "pause": save, free the GPU, hand over. "stop": the same, then export the best checkpoint. */
  readonly wanted: 'train' | 'pause' | 'stop';
}

/** Answer of the updates of a training. */
export interface TrainingState {
  readonly state: 'training' | 'waiting' | 'paused' | 'stopping';
  readonly step: number;
  readonly lastCheckpoint: number | null;
}

/** Input of the update `resume`: limits that are raised, when one of them paused the run. */
export const resumeSchema = z
  .strictObject({
    maxGpuHours: z.number().positive().max(1_000_000).optional(),
    maxWallHours: z.number().positive().max(100_000).optional(),
  })
  .default({});

/**
 * The money of a run. `granted` is with workers as tranches and counts as spent until they settle; so
 * spent + unsettled + granted ≤ cap, whatever dies.
 */
export interface BudgetState {
  readonly capUsd: number;
  readonly spentUsd: number;
  /** Requests of unknown outcome (a killed process, a cut answer), at their worst case. */
  readonly unsettledUsd: number;
  readonly grantedUsd: number;
  /** capUsd − spentUsd − unsettledUsd − grantedUsd. */
  readonly availableUsd: number;
  /** Since when somebody waits for money; null when nobody does. */
  readonly pausedSince: string | null;
}

/** Asked by a worker before it spends; the id is chosen by the worker and makes the request idempotent. */
export interface TrancheRequest {
  readonly id: string;
  /** The worst case of the next request: less is of no use. */
  readonly atLeastUsd: number;
}
export type TrancheAnswer =
  | { readonly status: 'granted'; readonly usd: number }
  /** Wait until `budget` shows enough, then ask again under a new id. */
  | { readonly status: 'refused'; readonly availableUsd: number; readonly capUsd: number };

/** What became of a tranche; told at its end, or by who finds it after its worker died. What is left returns. */
export interface TrancheSettlement {
  readonly id: string;
  readonly spentUsd: number;
  readonly unsettledUsd: number;
}

/** The run that holds the budget: the chain, or a stage that was started alone. */
export interface BudgetHolder {
  readonly workflowId: string;
  /** First run of a chain of continued ones may differ: tranches are asked of the workflow's current run. */
  readonly runId: string;
}

export const progressQueryName = 'progress';
export const controlQueryName = 'control';
export const progressSignalName = 'progress';
export const budgetQueryName = 'budget';
export const raiseBudgetUpdateName = 'raiseBudget';
export const grantTrancheUpdateName = 'grantTranche';
export const settleTrancheSignalName = 'settleTranche';
export const checkpointNowUpdateName = 'checkpointNow';
export const pauseUpdateName = 'pause';
export const resumeUpdateName = 'resume';
export const stopEarlyUpdateName = 'stopEarly';

/** Input of the update `raiseBudget`: the new cap, not what is added. */
export const raiseBudgetSchema = z.strictObject({ capUsd: z.number().positive().max(10_000_000) });

/** One stage of an estimate. Tokens and money are expected values; the range covers the sampling of rows. */
export const stageEstimateSchema = z.strictObject({
  stage: z.enum(['filter', 'distil']),
  model: z.string(),
  rows: z.int().nonnegative(),
  /** Rows whose answer is in the ledger already: they cost nothing. */
  known: z.int().nonnegative(),
  requests: z.number().nonnegative(),
  promptTokens: z.number().nonnegative(),
  completionTokens: z.number().nonnegative(),
  costUsd: z.number().nonnegative(),
  lowUsd: z.number().nonnegative(),
  highUsd: z.number().nonnegative(),
  /** No bound holds more: every answer as long as maxTokens allows. */
  worstUsd: z.number().nonnegative(),
  /** Where the price is from: "recipe", or the table and its date. */
  price: z.string(),
  /** Rows asked to find out; their answers are kept and not paid again. */
  sampled: z.int().nonnegative(),
});
export type StageEstimate = z.infer<typeof stageEstimateSchema>;

export const estimateSchema = z.strictObject({
  stages: z.array(stageEstimateSchema),
  costUsd: z.number().nonnegative(),
  lowUsd: z.number().nonnegative(),
  highUsd: z.number().nonnegative(),
  /** What the estimate itself paid. */
  paidUsd: z.number().nonnegative(),
  /** Seconds of asking at the recipe's concurrency and the latency that was seen. */
  seconds: z.number().nonnegative(),
  notes: z.array(z.string()),
});
export type Estimate = z.infer<typeof estimateSchema>;

export const estimateInputSchema = z.strictObject({
  ...inputBase,
  dataset: datasetSchema,
  filter: filterSchema,
  distill: distillSchema,
  /** Rows asked of each model to find out what answers cost; 0 pays nothing and assumes answers of half maxTokens. */
  sample: z
    .strictObject({
      classifier: z.int().min(0).max(10_000).default(200),
      teacher: z.int().min(0).max(1000).default(40),
    })
    .prefault({}),
});
export type EstimateInput = z.infer<typeof estimateInputSchema>;
