/**
 * The recipe: the validated, versioned input of a run. No secrets: keys are named by environment variable.
 * Defaults are this project's own and are not the papers' (those are not public, see docs/method.md).
 */
import { z } from 'zod';
import { cweSelectorSchema } from './rows.ts';

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

const addressFields = {
  /** Root of an OpenAI-compatible API, e.g. `http://127.0.0.1:8000/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Instead of baseUrl: the variable of the worker that holds it. */
  baseUrlEnv: environmentName.optional(),
  apiKeyEnv: environmentName.optional(),
};
const oneAddress = {
  message: 'needs exactly one of baseUrl and baseUrlEnv',
  path: ['baseUrl'],
};

/** USD per million tokens. Reasoning tokens are completion tokens. */
export const priceSchema = z.strictObject({
  prompt: z.number().nonnegative(),
  completion: z.number().nonnegative(),
});

/** Another address of the same model (the same weights: answers count as the model's own), asked when those before are down. */
export const fallbackSchema = z
  .strictObject({
    ...addressFields,
    /** The model's name there, where it differs. */
    servedModel: z.string().min(1).max(256).optional(),
    priceUsdPerMillionTokens: priceSchema.optional(),
  })
  .refine((address) => (address.baseUrl === undefined) !== (address.baseUrlEnv === undefined), oneAddress);
export type Fallback = z.infer<typeof fallbackSchema>;

export const endpointSchema = z
  .strictObject({
    ...addressFields,
    model: z.string().min(1).max(256),
    /** What distinguishes two states of the same model name; part of every request key. */
    revision: z.string().min(1).max(256).default('unversioned'),
    fallbacks: z.array(fallbackSchema).max(8).default([]),
    /** Requests in flight per worker process, at most; fewer while the endpoint refuses (429). */
    concurrency: z.int().min(1).max(4096).default(64),
    /** What the account allows, per worker process; the pace that an endpoint bears is found out besides. */
    limits: z
      .strictObject({
        requestsPerMinute: z.number().positive().optional(),
        /** Prompt and completion tokens together. */
        tokensPerMinute: z.number().positive().optional(),
      })
      .prefault({}),
    /** "batch": the provider's batch interface (files, a job, hours of patience), usually at half the price. */
    transport: z.enum(['chat', 'batch']).default('chat'),
    /** How often a batch job is looked after; its provider needs minutes to hours. */
    batchPollSeconds: z.number().min(0.05).max(3600).default(30),
    /** The field that bounds an answer; OpenAI's reasoning models want `max_completion_tokens`. */
    tokenLimitField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
    timeoutSeconds: z.number().positive().max(7200).default(600),
    /** The stage pauses while the endpoint is gone, and fails after this long. */
    maxOutageHours: z.number().positive().max(720).default(24),
    /** Looked up by the model's name in the shipped table where not given. */
    priceUsdPerMillionTokens: priceSchema.optional(),
    sampling: samplingSchema.prefault({}),
  })
  .refine((endpoint) => (endpoint.baseUrl === undefined) !== (endpoint.baseUrlEnv === undefined), oneAddress);
export type Endpoint = z.infer<typeof endpointSchema>;

export const datasetSchema = z.strictObject({
  /**
   * A file or a folder in Hugging Face style (README.md, data/*.parquet or *.jsonl): `s3://bucket/key`, or a path that
   * the data worker can read (relative to its working directory).
   */
  uri: z.string().min(1).max(2048),
  format: z.enum(['jsonl', 'json', 'parquet']).optional(),
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
      /** Tests of the row's own (pytest for Python, `node:test` for JavaScript), run against traces. */
      tests: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Near-duplicates by MinHash over word 5-grams; similarities are Jaccard's. */
  nearDuplicates: z
    .strictObject({
      /** Of rows at least this similar only the first stays; 1 removes exact duplicates only. */
      removeFrom: z.number().gt(0).max(1).default(0.85),
      /** Rows at least this similar are one group, which no split tears apart. */
      groupFrom: z.number().gt(0).max(1).default(0.6),
    })
    .refine(({ removeFrom, groupFrom }) => groupFrom <= removeFrom, {
      message: 'must not be above removeFrom',
      path: ['groupFrom'],
    })
    .prefault({}),
  /**
   * Rows that a benchmark holds are left out: `suite`, `cweval` or `baxbench` (the worker's CWEVAL_HOME, BAXBENCH_HOME),
   * or the path of a JSON Lines file of texts.
   */
  decontaminate: z.array(z.string().min(1).max(1024)).max(16).default(['suite']),
  /** Rows longer than this go to the dead letters. */
  maxTaskCharacters: z.int().min(100).max(10_000_000).default(20_000),
  /** Only the first rows, for trials. */
  limitRows: z.int().positive().optional(),
});
export type Dataset = z.infer<typeof datasetSchema>;

export const budgetSchema = z.strictObject({
  /** All that the run may pay for answers, in USD; it pauses there until `raiseBudget`. */
  capUsd: z.number().positive().max(10_000_000),
});
export type Budget = z.infer<typeof budgetSchema>;

const shardFields = (rows: number) => ({
  /** Rows of one LLM activity. */
  shardRows: z.int().min(1).max(10_000).default(rows),
  /** Shards worked on at the same time. */
  parallelShards: z.int().min(1).max(200).default(8),
  /** The stage fails when more than this share of its rows could not be processed. */
  maxBadRowShare: share.default(0.05),
});

export const calibrationSchema = z.strictObject({
  /** JSON Lines `{task, relevant, cwes?}`, labelled by people: `s3://…` or a path of the data worker. */
  labels: z.string().min(1).max(2048),
  /** The stage is refused, before the dataset is paid for, when the lower end of the 95 % interval is below. */
  minPrecision: share.default(0),
  minRecall: share.default(0),
  minF1: share.default(0),
});
export type Calibration = z.infer<typeof calibrationSchema>;

export const filterSchema = z.strictObject({
  /** "keepAll" is the ablation without a filter: nobody is asked, rows carry no CWEs. */
  mode: z.enum(['classifier', 'keepAll']).default('classifier'),
  classifier: endpointSchema,
  ...shardFields(1000),
  calibration: calibrationSchema.optional(),
  /** Rows drawn for people to look at, half of the kept, half of the dropped. */
  reviewRows: z.int().min(0).max(10_000).default(50),
});
export type FilterSettings = z.infer<typeof filterSchema>;

const cweSelectors = z.array(cweSelectorSchema).max(100).default([]);
const languageNames = z
  .array(z.string().regex(/^[a-z0-9+#.-]{1,32}$/, 'must be a language in lower case, e.g. "python" or "c++"'))
  .max(100)
  .default([]);

export const judgeSchema = z.strictObject({ model: endpointSchema });

export const distillSchema = z.strictObject({
  teacher: endpointSchema,
  ...shardFields(200),
  /** What the teacher is told: the structured walk through CWEs, a generic reminder (ablation), or nothing. */
  prompt: z.enum(['structured', 'generic', 'none']).default('structured'),
  /** Ablation: the teacher's instructions stay in the training pair instead of the bare task. */
  keepPromptInPair: z.boolean().default(false),
  /** Answers asked for a task at most; the best that passes is kept. */
  samples: z
    .strictObject({
      n: z.int().min(1).max(64).default(1),
      /** Stop at the first that passes; false asks all n and takes the shortest that passes. */
      earlyStop: z.boolean().default(true),
    })
    .prefault({}),
  oracles: z
    .strictObject({
      /** The row's own tests, in the sandbox: "auto" where a row has some, "require" rejects rows without. */
      tests: z.enum(['auto', 'require', 'off']).default('auto'),
      /** Static analysers; a finding of at least medium severity rejects. */
      analysers: z.array(z.enum(['bandit', 'flawfinder'])).default(['bandit', 'flawfinder']),
      /** A model that judges what passed the others. */
      judge: judgeSchema.optional(),
    })
    .prefault({}),
  /** Traces kept for one CWE, at most; null is no quota. */
  maxTracesPerCwe: z.int().positive().nullable().default(null),
  /** Only tasks whose CWEs are of these families (or kin of these CWEs); empty is all. */
  onlyCwes: cweSelectors,
  /** Tasks that carry one of these CWEs, or kin of it, are left out, to measure transfer. */
  holdOutCwes: cweSelectors,
  onlyLanguages: languageNames,
  holdOutLanguages: languageNames,
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
  budget: budgetSchema.optional(),
  /** "never" makes every artefact anew and publishes it under a fingerprint of its own. */
  reuse: reuseSchema,
  /** Where a value comes from, by its path in the recipe, e.g. {"finetune.epochs": "…"}. */
  provenance: z.record(z.string(), z.string().min(1)).default({}),
});
export type Recipe = z.infer<typeof recipeSchema>;
/** A recipe as it is written, before defaults. */
export type RecipeInput = z.input<typeof recipeSchema>;
