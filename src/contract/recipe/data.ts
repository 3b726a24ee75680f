/** The stages that ask models about a dataset: filter and distil, and what they may pay. */
import { z } from 'zod';
import { cweSelectorSchema } from '../rows.ts';
import { endpointSchema } from './endpoint.ts';
import { languageNames, share } from './fields.ts';

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
