/**
 * The public interface: workflow types, task queues, their inputs and results, queries, signals, updates and
 * search attributes. Names are an API: change them only with a migration note in CHANGELOG.md.
 */
import { z } from 'zod';
import { countsSchema, usageSchema } from './manifest.ts';
import {
  datasetSchema,
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

export type StageState = 'waiting' | 'running' | 'done' | 'reused' | 'failed' | 'cancelled';

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

export const progressQueryName = 'progress';
export const controlQueryName = 'control';
export const progressSignalName = 'progress';
export const checkpointNowUpdateName = 'checkpointNow';
