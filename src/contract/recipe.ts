/**
 * The recipe: the validated, versioned input of a run. No secrets: keys are named by environment variable.
 * Defaults are this project's own and are not the papers' (those are not public, see docs/method.md).
 */
import { z } from 'zod';
import { cweSchema } from './rows.ts';

const environmentName = z
  .string()
  .regex(
    /^[A-Z_][A-Z0-9_]{0,127}$/,
    'must be the NAME of an environment variable (upper case, digits, _), never a value',
  );

const share = z.number().min(0).max(1);

export const samplingSchema = z.strictObject({
  temperature: z.number().min(0).max(2).default(0),
  topP: z.number().gt(0).max(1).default(1),
  /** Upper bound of one answer, reasoning included, in tokens. */
  maxTokens: z.int().min(1).max(200_000).default(2048),
  seed: z.int().nonnegative().default(0),
});
export type Sampling = z.infer<typeof samplingSchema>;

export const endpointSchema = z
  .strictObject({
    /** Root of an OpenAI-compatible API, e.g. `http://127.0.0.1:8000/v1`. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** Instead of baseUrl: the variable of the worker that holds it. */
    baseUrlEnv: environmentName.optional(),
    model: z.string().min(1).max(256),
    /** What distinguishes two states of the same model name; part of every request key. */
    revision: z.string().min(1).max(256).default('unversioned'),
    apiKeyEnv: environmentName.optional(),
    /** Requests in flight per worker process. */
    concurrency: z.int().min(1).max(1024).default(16),
    timeoutSeconds: z.number().positive().max(7200).default(600),
    priceUsdPerMillionTokens: z
      .strictObject({ prompt: z.number().nonnegative(), completion: z.number().nonnegative() })
      .optional(),
    sampling: samplingSchema.prefault({}),
  })
  .refine((endpoint) => (endpoint.baseUrl === undefined) !== (endpoint.baseUrlEnv === undefined), {
    message: 'needs exactly one of baseUrl and baseUrlEnv',
    path: ['baseUrl'],
  });
export type Endpoint = z.infer<typeof endpointSchema>;

export const datasetSchema = z.strictObject({
  /** `s3://bucket/key`, or a path that the data worker can read (relative to its working directory). */
  uri: z.string().min(1).max(2048),
  format: z.enum(['jsonl', 'json']).optional(),
  name: z.string().min(1).max(128).optional(),
  /** Licence of the source, recorded with everything made from it. */
  license: z.string().min(1).max(256).optional(),
  /** Names of the fields to read; the first of the well-known ones is taken where not given. */
  fields: z
    .strictObject({
      task: z.string().min(1).optional(),
      /** Appended to the task where not empty (Alpaca's `input`). */
      context: z.string().min(1).optional(),
      id: z.string().min(1).optional(),
      language: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Rows longer than this go to the dead letters. */
  maxTaskCharacters: z.int().min(100).max(10_000_000).default(20_000),
  /** Only the first rows, for trials. */
  limitRows: z.int().positive().optional(),
});
export type Dataset = z.infer<typeof datasetSchema>;

const shardFields = {
  /** Rows of one LLM activity. */
  shardRows: z.int().min(1).max(10_000).default(500),
  /** Shards worked on at the same time. */
  parallelShards: z.int().min(1).max(200).default(4),
  /** The stage fails when more than this share of its rows could not be processed. */
  maxBadRowShare: share.default(0.05),
};

export const filterSchema = z.strictObject({ classifier: endpointSchema, ...shardFields });
export type FilterSettings = z.infer<typeof filterSchema>;

export const distillSchema = z.strictObject({
  teacher: endpointSchema,
  ...shardFields,
  /** Tasks that the classifier gave one of these CWEs are left out, to measure transfer. */
  holdOutCwes: z.array(cweSchema).max(100).default([]),
});
export type DistillSettings = z.infer<typeof distillSchema>;

export const modelSourceSchema = z.strictObject({
  /** `embedded:NAME`, a folder in Hugging Face format, `s3://bucket/artifacts/model/<fingerprint>`, or `hf:owner/name`. */
  uri: z.string().min(1).max(2048),
  /** Required for `hf:`: a commit hash or tag. */
  revision: z.string().min(1).max(128).optional(),
  license: z.string().min(1).max(256).optional(),
});
export type ModelSource = z.infer<typeof modelSourceSchema>;

export const finetuneSchema = z.strictObject({
  model: modelSourceSchema,
  method: z.enum(['lora']).default('lora'),
  lora: z
    .strictObject({
      rank: z.int().min(1).max(1024).default(16),
      alpha: z.number().positive().default(32),
      dropout: share.default(0),
      targetModules: z
        .union([z.literal('all-linear'), z.array(z.string().min(1)).min(1)])
        .default('all-linear'),
    })
    .prefault({}),
  epochs: z.number().positive().max(1000).default(3),
  maxSteps: z.int().positive().nullable().default(null),
  /** Rows of one optimiser step. */
  batchRows: z.int().min(1).max(65_536).default(16),
  /** Rows of one forward pass. */
  microBatchRows: z.int().min(1).max(4096).default(1),
  learningRate: z.number().positive().max(1).default(0.0001),
  scheduler: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
  warmupShare: share.default(0.1),
  weightDecay: z.number().min(0).max(1).default(0),
  maxSequenceTokens: z.int().min(16).max(1_000_000).default(4096),
  longRows: z.enum(['drop', 'truncate', 'fail']).default('drop'),
  precision: z.enum(['auto', 'fp32', 'bf16']).default('auto'),
  gradientCheckpointing: z.boolean().default(false),
  checkpointEverySteps: z.int().min(1).max(1_000_000).default(50),
  /** Share of the traces kept out of training to measure the loss on. */
  evalShare: share.default(0.1),
  seed: z.int().nonnegative().default(0),
});
export type FinetuneSettings = z.infer<typeof finetuneSchema>;

export const benchmarkNames = ['suite', 'cweval', 'baxbench', 'guard'] as const;
export type BenchmarkName = (typeof benchmarkNames)[number];

export const evaluateSchema = z.strictObject({
  benchmarks: z.array(z.enum(benchmarkNames)).min(1).default(['suite']),
  samplesPerTask: z.int().min(1).max(1000).default(10),
  sampling: samplingSchema.prefault({ temperature: 0.8, maxTokens: 2048 }),
  /** Samples sent together as one fixed batch: the unit of resume. */
  batchSamples: z.int().min(1).max(4096).default(32),
  /** Samples of one grading activity. */
  gradeShardSamples: z.int().min(1).max(10_000).default(64),
  limits: z
    .strictObject({
      /** Wall time of the tests of one sample; doubled once on a timeout. */
      wallSeconds: z.number().positive().max(3600).default(20),
      memoryMiB: z.int().min(64).max(1_048_576).default(1024),
    })
    .prefault({}),
});
export type EvaluateSettings = z.infer<typeof evaluateSchema>;

export const reuseSchema = z.enum(['always', 'never']).default('always');

export const recipeSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, ".", "_", "-" (at most 64)'),
  description: z.string().max(2000).optional(),
  dataset: datasetSchema,
  filter: filterSchema,
  distill: distillSchema,
  finetune: finetuneSchema,
  evaluate: evaluateSchema,
  /** "never" makes every artefact anew and publishes it under a fingerprint of its own. */
  reuse: reuseSchema,
  /** Where a value comes from, by its path in the recipe, e.g. {"finetune.epochs": "…"}. */
  provenance: z.record(z.string(), z.string().min(1)).default({}),
});
export type Recipe = z.infer<typeof recipeSchema>;
/** A recipe as it is written, before defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;
