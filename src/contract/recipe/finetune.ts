/** What is trained, how, where, and within which bounds. */
import { z } from 'zod';
import { gpuClass, share } from './fields.ts';

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
