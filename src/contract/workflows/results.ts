/** What each workflow gives back: references and figures, a few KB. */
import { z } from 'zod';
import { benchmarkNames } from '../benchmarkNames.ts';
import { countsSchema, usageSchema } from '../manifest.ts';
import { artifactRefSchema } from '../refs.ts';
import { scoreSchema } from '../summary.ts';

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
