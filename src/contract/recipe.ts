/**
 * The recipe: the validated, versioned input of a run. No secrets: keys are named by environment variable.
 * Defaults are this project's own and are not the papers' (those are not public, see docs/method.md).
 */
import { z } from 'zod';
import { analyserNames, benchmarkNames, promptVariants } from './benchmarkNames.ts';
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

export const modelSourceSchema = z
  .strictObject({
    /**
     * `embedded:NAME`, a folder in Hugging Face format, `s3://bucket/artifacts/model/<fingerprint>`, `hf:owner/name`, or
     * `registry:NAME@VERSION` of the model registry.
     */
    uri: z.string().min(1).max(2048),
    /** Required for `hf:`: a commit hash or tag. */
    revision: z.string().min(1).max(128).optional(),
    license: z.string().min(1).max(256).optional(),
  })
  .refine(({ uri, revision }) => !uri.startsWith('hf:') || revision !== undefined, {
    message: 'must be given for a hub model, since a branch moves: the commit hash or a tag',
    path: ['revision'],
  })
  .refine(({ uri }) => !uri.startsWith('registry:') || /@[1-9]\d*$/u.test(uri), {
    message: 'must name a version (registry:NAME@VERSION), since the current one moves',
    path: ['uri'],
  });
export type ModelSource = z.infer<typeof modelSourceSchema>;

/** Loss on rows that have nothing to do with security, before and after: a model that forgot shows it here. */
export const guardSchema = z.strictObject({
  /**
   * JSON Lines `{id, prompt, reasoning?, answer}` that nothing is trained on: `embedded` (general programming, shipped),
   * `s3://…`, or a path of the GPU worker.
   */
  rows: z.string().min(1).max(2048).default('embedded'),
});
export type Guard = z.infer<typeof guardSchema>;

export const divergenceSchema = z.strictObject({
  /** A loss above this multiple of the running median of the last 64 steps is a spike; null looks for NaN alone. */
  spikeFactor: z.number().min(1.1).max(1000).nullable().default(5),
  /** Spikes in a row that count as divergence; no checkpoint is written meanwhile. */
  patienceSteps: z.int().min(1).max(1000).default(5),
  /** "rollback": from the last good checkpoint with a smaller learning rate. */
  policy: z.enum(['rollback', 'fail']).default('rollback'),
  maxRollbacks: z.int().min(1).max(20).default(2),
  /** The learning rate is multiplied by this at each rollback: unchanged, the same divergence would follow. */
  learningRateFactor: z.number().min(0.0001).max(0.99).default(0.5),
});
export type Divergence = z.infer<typeof divergenceSchema>;

/** Name of a class of GPU workers: their queue is `secpi-gpu-NAME`. */
const gpuClass = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'must be lower case letters, digits, "." and "-" (at most 63)');

export const gpuSchema = z
  .strictObject({
    /** Only workers of this class (`secpi worker gpu --class NAME`); workers without a class where not given. */
    class: gpuClass.optional(),
    /** After this many preemptions the training moves to `onDemandClass`, where nobody takes it away. */
    onDemandAfter: z.int().min(1).max(1000).optional(),
    onDemandClass: gpuClass.optional(),
  })
  .refine(
    ({ onDemandAfter, onDemandClass }) => (onDemandAfter === undefined) === (onDemandClass === undefined),
    {
      message: 'must be given together with onDemandAfter',
      path: ['onDemandClass'],
    },
  );
export type GpuChoice = z.infer<typeof gpuSchema>;

export const trainingLimitsSchema = z.strictObject({
  /** The run pauses there with its state saved, until `resume` raises it or `stopEarly` ends it; null is none. */
  maxGpuHours: z.number().positive().max(1_000_000).nullable().default(null),
  /** From the start of the workflow, waits included. Pauses as well. */
  maxWallHours: z.number().positive().max(100_000).nullable().default(null),
  /** How long no GPU may be free, in a row, before the run fails. */
  maxCapacityWaitHours: z.number().positive().max(10_000).default(72),
  maxPreemptions: z.int().min(0).max(100_000).default(1000),
  /** Real errors (a crash, a stall, a store that fails); each is waited for longer than the one before. */
  maxErrors: z.int().min(1).max(1000).default(4),
  /** Losses without notice in a row, none of which left a newer checkpoint: a crash, not preemption. */
  maxLossesWithoutCheckpoint: z.int().min(1).max(100).default(3),
  /** A trainer that finishes no step for so long is ended and started again. */
  stallMinutes: z.number().positive().max(10_000).default(30),
  /** The same for one whose GPU (without one, whose process) does nothing. */
  idleMinutes: z.number().positive().max(10_000).default(15),
});
export type TrainingLimits = z.infer<typeof trainingLimitsSchema>;

export const registerSchema = z.strictObject({
  /** Name in the model registry; each finished training of another content is its next version. */
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
      'must be letters, digits, ".", "_", "-", "/" (at most 128)',
    ),
  /** Whether it becomes the name's current version: "ifBetter" by held-out loss on the same data. */
  promote: z.enum(['never', 'ifBetter', 'always']).default('never'),
});
export type Register = z.infer<typeof registerSchema>;

export const finetuneSchema = z
  .strictObject({
    model: modelSourceSchema,
    /** "qlora": the frozen base in 4 bits; "full": every weight is trained. */
    method: z.enum(['lora', 'qlora', 'full']).default('lora'),
    lora: z
      .strictObject({
        rank: z.int().min(1).max(1024).default(16),
        alpha: z.number().positive().max(1_000_000).default(32),
        dropout: z.number().min(0).max(0.99).default(0),
        targetModules: z
          .union([z.literal('all-linear'), z.array(z.string().min(1)).min(1)])
          .default('all-linear'),
      })
      .prefault({}),
    /** Of the frozen base, with method "qlora". */
    quantization: z
      .strictObject({
        type: z.enum(['nf4', 'fp4']).default('nf4'),
        /** The scales are quantised too: 0.4 bits a weight less. */
        double: z.boolean().default(true),
      })
      .prefault({}),
    /** "auto": flash attention where the GPU worker has it, else PyTorch's own kernels. */
    attention: z.enum(['auto', 'eager', 'sdpa', 'flash']).default('auto'),
    /** Rows share a sequence of maxSequenceTokens, each attending to itself only: no padding is computed. */
    packing: z.boolean().default(false),
    epochs: z.number().positive().max(1000).default(3),
    maxSteps: z.int().positive().nullable().default(null),
    /** Rows of one optimiser step (with packing: sequences). */
    batchRows: z.int().min(1).max(65_536).default(16),
    /** Rows of one forward pass; must divide batchRows. */
    microBatchRows: z.int().min(1).max(4096).default(1),
    /** Out of memory: "halveMicroBatch" keeps batchRows and goes on from the last checkpoint with smaller passes. */
    onOutOfMemory: z.enum(['halveMicroBatch', 'fail']).default('halveMicroBatch'),
    learningRate: z.number().positive().max(1).default(0.0001),
    scheduler: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
    warmupShare: share.default(0.1),
    weightDecay: z.number().min(0).max(1).default(0),
    maxSequenceTokens: z.int().min(16).max(1_000_000).default(4096),
    longRows: z.enum(['drop', 'truncate', 'fail']).default('drop'),
    precision: z.enum(['auto', 'fp32', 'bf16']).default('auto'),
    gradientCheckpointing: z.boolean().default(false),
    checkpointEverySteps: z.int().min(1).max(1_000_000).default(50),
    /** Newest checkpoints kept, the best and the last one besides. */
    keepCheckpoints: z.int().min(2).max(1000).default(2),
    /** Share of the traces kept out of training to measure the loss on. */
    evalShare: share.default(0.1),
    /** The held-out loss is measured so often (and a checkpoint kept, so that the best can be chosen); null: at both ends. */
    evalEverySteps: z.int().min(1).max(1_000_000).nullable().default(null),
    /** null measures no forgetting. */
    guard: guardSchema.nullable().default({ rows: 'embedded' }),
    divergence: divergenceSchema.prefault({}),
    seed: z.int().nonnegative().max(4_294_967_295).default(0),
    gpu: gpuSchema.prefault({}),
    limits: trainingLimitsSchema.prefault({}),
    register: registerSchema.optional(),
  })
  .refine(({ batchRows, microBatchRows }) => batchRows % microBatchRows === 0, {
    message: 'must divide batchRows',
    path: ['microBatchRows'],
  });
export type FinetuneSettings = z.infer<typeof finetuneSchema>;

const unique = { message: 'must not name one twice' };
const isUnique = (names: readonly string[]): boolean => new Set(names).size === names.length;

export const evaluateSchema = z
  .strictObject({
    /** Run side by side; the first is the one that the headline and the search attributes are about. */
    benchmarks: z.array(z.enum(benchmarkNames)).min(1).refine(isUnique, unique).default(['suite']),
    /** Benchmarks that may be left out where no worker can grade them; the report says so. */
    skipUnavailable: z.array(z.enum(benchmarkNames)).refine(isUnique, unique).default([]),
    /** The headline is about the first; the others are told beside it. */
    promptVariants: z.array(z.enum(promptVariants)).min(1).refine(isUnique, unique).default(['none']),
    /** Only tasks in these languages, of every benchmark; empty is all. */
    languages: languageNames,
    cweval: z
      .strictObject({
        /** Checkout on the sandbox workers; their CWEVAL_HOME where not given. */
        home: z.string().min(1).max(4096).optional(),
        /** Wall time of one test. Upstream's own 3 s fail good samples on a busy machine. */
        testSeconds: z.number().positive().max(600).default(20),
      })
      .prefault({}),
    baxbench: z
      .strictObject({
        /** Checkout on the sandbox workers; their BAXBENCH_HOME where not given. */
        home: z.string().min(1).max(4096).optional(),
        /** Names of scenarios and frameworks as BaxBench has them; empty is all. */
        scenarios: z.array(z.string().min(1).max(128)).default([]),
        envs: z.array(z.string().min(1).max(128)).default([]),
        spec: z.enum(['openapi', 'text']).default('openapi'),
      })
      .prefault({}),
    /** Generation with a local model. */
    server: z
      .strictObject({
        /** "auto": vLLM where the GPU worker has it, else the project's own server. */
        engine: z.enum(['auto', 'own', 'vllm']).default('auto'),
        /** Further arguments of `vllm serve`, e.g. ["--tensor-parallel-size", "2"]. */
        vllmArguments: z.array(z.string().min(1).max(256)).max(64).default([]),
      })
      .prefault({}),
    /** Class of the GPU workers that generate; workers without a class where not given. */
    gpu: z.strictObject({ class: gpuClass.optional() }).prefault({}),
    samplesPerTask: z.int().min(1).max(1000).default(10),
    /** Tries of pass@k in the headline. */
    k: z.int().min(1).max(1000).default(1),
    sampling: samplingSchema.prefault({ temperature: 0.8, maxTokens: 2048 }),
    /** Samples sent together as one fixed batch: the unit of resume. */
    batchSamples: z.int().min(1).max(4096).default(32),
    /** Samples of one grading activity. */
    gradeShardSamples: z.int().min(1).max(10_000).default(64),
    limits: z
      .strictObject({
        /** Wall time of the tests of one sample; more on the retries after a timeout. */
        wallSeconds: z.number().positive().max(3600).default(20),
        memoryMiB: z.int().min(64).max(1_048_576).default(1024),
      })
      .prefault({}),
    /** Each benchmark's own references are graded before any sample: what fails there says nothing about a model. */
    references: z
      .strictObject({
        /** Gradings of each reference; more than one tells flaky tests. */
        repeats: z.int().min(1).max(100).default(1),
        /** "flag": go on, the tasks are named in the report. */
        onFailure: z.enum(['fail', 'flag']).default('fail'),
      })
      .prefault({}),
    analysers: z.array(z.enum(analyserNames)).refine(isUnique, unique).default(['bandit', 'flawfinder']),
  })
  .refine(({ k, samplesPerTask }) => k <= samplesPerTask, {
    message: 'must not be above samplesPerTask',
    path: ['k'],
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
