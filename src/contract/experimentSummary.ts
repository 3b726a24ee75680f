/**
 * `summary.json` of an experiment: what its variants came to and how they differ, for programs. An API as `summary.ts`:
 * fields are added, never changed or removed within a version.
 */
import { z } from 'zod';
import { benchmarkNames } from './benchmarkNames.ts';
import { share } from './recipe/fields.ts';
import { scoreSchema } from './score.ts';
import { differenceSchema, stageSummarySchema } from './summary.ts';

/** Tuned scores of some tasks of a benchmark. */
const partSchema = z.strictObject({ name: z.string(), tasks: z.int().positive(), score: scoreSchema });

export const variantBenchmarkSchema = z.strictObject({
  name: z.enum(benchmarkNames),
  /** What the scores are; "func" of a benchmark without security tests. */
  measure: z.enum(['funcSec', 'func']),
  base: scoreSchema,
  tuned: scoreSchema,
  tasks: z.int().positive(),
  scenarios: z.int().positive(),
  perFamily: z.array(partSchema),
  perLanguage: z.array(partSchema),
  /** Tuned model of the variant minus that of the reference, paired by task; null of the reference itself. */
  difference: differenceSchema.extend({ adjustedPValue: share }).nullable(),
  /** Why there is no difference; null where there is one, and of the reference. */
  notCompared: z.string().nullable(),
});
export type VariantBenchmark = z.infer<typeof variantBenchmarkSchema>;

export const variantSummarySchema = z.strictObject({
  name: z.string(),
  workflowId: z.string(),
  /** The merge patch over the base. */
  changes: z.record(z.string(), z.json()),
  /** Code and problem of a variant that failed; then it has no figures. */
  error: z.string().nullable(),
  /** uri of the variant's own summary. */
  summary: z.string().nullable(),
  costUsd: z.number().nonnegative(),
  stages: z.array(stageSummarySchema),
  /** The headline's first. */
  benchmarks: z.array(variantBenchmarkSchema),
});
export type VariantSummary = z.infer<typeof variantSummarySchema>;

export const experimentSummarySchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('experiment'),
  run: z.strictObject({
    workflowId: z.string(),
    runId: z.string(),
    experiment: z.string(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
  }),
  description: z.string().nullable(),
  reference: z.string(),
  /** In the order of the input. */
  variants: z.array(variantSummarySchema).min(1),
  /** What the numbers allow to say, a sentence each. */
  conclusions: z.array(z.string()),
  costUsd: z.number().nonnegative(),
  formulas: z.record(z.string(), z.string()),
});
export type ExperimentSummary = z.infer<typeof experimentSummarySchema>;
