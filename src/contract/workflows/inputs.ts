/** What each workflow takes. */
import { z } from 'zod';
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
} from '../recipe.ts';

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
