/**
 * The public interface: workflow types, task queues, their inputs and results, queries, signals, updates and
 * search attributes. Names are an API: change them only with a migration note in CHANGELOG.md.
 */
import { z } from 'zod';
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

export const evaluateInputSchema = z.strictObject({
  ...inputBase,
  model: modelSourceSchema,
  /** How the model is called in reports. */
  label: z.string().min(1).max(64).default('model'),
  evaluate: evaluateSchema,
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
  preemptions: z.int(),
  resumedFromSteps: z.array(z.int()),
});
export type FineTuneResult = z.infer<typeof fineTuneResultSchema>;

export const evaluateResultSchema = stageResultSchema.extend({
  generation: artifactRefSchema,
  generationReused: z.boolean(),
  func: scoreSchema,
  secure: scoreSchema,
  funcSec: scoreSchema,
});
export type EvaluateResult = z.infer<typeof evaluateResultSchema>;

/** The result of the whole chain: small; the whole story is in the summary and the report. */
export const secpiResultSchema = z.strictObject({
  summary: z.strictObject({ uri: z.string(), sha256: z.string() }),
  report: z.strictObject({ uri: z.string(), sha256: z.string() }),
  costUsd: z.number(),
  reusedStages: z.array(z.string()),
});
export type SecpiResult = z.infer<typeof secpiResultSchema>;

export type StageState = 'waiting' | 'running' | 'paused' | 'done' | 'reused' | 'failed' | 'cancelled';

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
  readonly progress: Partial<Omit<StageProgress, 'name'>>;
}

/** Answer of the `control` query, polled by long activities: commands come down without history. */
export interface Control {
  /** Raised by the update `checkpointNow`: the trainer saves when it sees a higher number. */
  readonly checkpointRequests: number;
}

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
