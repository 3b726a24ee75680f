/**
 * `summary.json`: the outcome of a run for programs. An API: fields are added, never changed or removed within
 * a version. Shares are between 0 and 1; times are ISO 8601; money is in US dollars.
 */
import { z } from 'zod';
import { countsSchema, usageSchema } from './manifest.ts';
import { analyserNames, benchmarkNames, promptVariants } from './benchmarkNames.ts';
import { samplingSchema } from './recipe.ts';
import { share } from './recipe/fields.ts';
import { cweFamilies, cweSchema } from './rows.ts';
import { scoreSchema } from './score.ts';
import { trendSchema } from './trend.ts';

export { scoreSchema, type Score } from './score.ts';

const metricFields = { func: scoreSchema, secure: scoreSchema, funcSec: scoreSchema };

export const groupScoresSchema = z.strictObject({
  ...metricFields,
  /** funcSec if every sample of unknown outcome had succeeded: the other end of what is not known. */
  bestCaseFuncSec: scoreSchema,
  /** funcSec / func; null where nothing is functional. Its n counts functional samples. */
  secRatio: scoreSchema.nullable(),
  /** Functional and not secure: what a user would ship. Null in summaries of older versions. */
  insecure: scoreSchema.nullable().default(null),
  /** Scores whose interval is the exact one, because the bootstrap says nothing about them. */
  exactIntervals: z.array(z.enum(['func', 'secure', 'funcSec', 'bestCaseFuncSec', 'secRatio', 'insecure'])),
  samples: z.int().positive(),
  tasks: z.int().positive(),
  scenarios: z.int().positive(),
  /** Samples whose grading could not be brought to an end; they count against the model. */
  unknown: z.int().nonnegative(),
  /** Samples that were asked for and have no verdict; failures. */
  missing: z.int().nonnegative(),
});
export type GroupScores = z.infer<typeof groupScoresSchema>;

/** `seen` is null where nothing is known about training. */
export const cweScoresSchema = groupScoresSchema.extend({ cwe: cweSchema, seen: z.boolean().nullable() });
export type CweScores = z.infer<typeof cweScoresSchema>;

/** Scores of the tasks in one language, of one family of weaknesses, or of one prompt variant. */
export const namedScoresSchema = groupScoresSchema.extend({ name: z.string() });
export type NamedScores = z.infer<typeof namedScoresSchema>;

/** pass@k of further k, from the same samples by the unbiased estimator. */
export const passAtKSchema = z.strictObject({ k: z.int().positive(), ...metricFields });
export type PassAtK = z.infer<typeof passAtKSchema>;

export const modelScoresSchema = groupScoresSchema.extend({
  /** `s3://…/artifacts/model/…`, `embedded:NAME`, `hf:owner/name` or a folder's name. */
  model: z.string(),
  benchmark: z.string(),
  /** Weaknesses that are in the training data, and those that are not; null where there are none or it is not known. */
  seen: groupScoresSchema.nullable(),
  heldOut: groupScoresSchema.nullable(),
  perCwe: z.array(cweScoresSchema),
  perFamily: z.array(namedScoresSchema.extend({ name: z.enum(cweFamilies) })).default([]),
  perLanguage: z.array(namedScoresSchema).default([]),
  /** All prompt variants that were asked for, the headline's own first. */
  perVariant: z.array(namedScoresSchema.extend({ name: z.enum(promptVariants) })).default([]),
  passAtK: z.array(passAtKSchema).default([]),
  /**
   * Mean over samples of [functional and no analyser found anything], after SecCoderX's ESR with tests in place of its
   * judge; null where no analyser judged. Never on one axis with func-and-secure.
   */
  esrLike: scoreSchema.nullable().default(null),
  /** Gradings that were repeated after a timeout. */
  retried: z.int().nonnegative().default(0),
  truncated: z.int().nonnegative().default(0),
  /** How often each reason stands in the verdicts, failures and successes. */
  reasons: countsSchema,
  sampling: samplingSchema,
  k: z.int().positive(),
});
export type ModelScores = z.infer<typeof modelScoresSchema>;

/** Tuned minus base, paired by task; −1 to 1. */
export const differenceSchema = z.strictObject({
  value: z.number().min(-1).max(1),
  low: z.number().min(-1).max(1),
  high: z.number().min(-1).max(1),
  /** Two-sided. */
  pValue: share,
  /** Samples of each model. */
  n: z.int().nonnegative(),
});
export type Difference = z.infer<typeof differenceSchema>;

export const differencesSchema = z.strictObject({
  func: differenceSchema,
  secure: differenceSchema,
  funcSec: differenceSchema,
  tasks: z.int().positive(),
  scenarios: z.int().positive(),
});
export type Differences = z.infer<typeof differencesSchema>;

/** McNemar's exact test on pairs of greedy answers: how often only one of the two models succeeded. */
export const mcnemarSchema = z.strictObject({
  onlyBase: z.int().nonnegative(),
  onlyTuned: z.int().nonnegative(),
  both: z.int().nonnegative(),
  neither: z.int().nonnegative(),
  /** Two-sided, exact binomial. */
  pValue: share,
});
export type McNemar = z.infer<typeof mcnemarSchema>;

export const comparisonSchema = differencesSchema.extend({
  seen: differencesSchema.nullable(),
  heldOut: differencesSchema.nullable(),
  /** Smallest difference in funcSec that this design finds with 80 % power at p < 0.05; null where it would find none. */
  minimalDetectable: z.number().positive().nullable().default(null),
  /** On funcSec; null unless both models answered once a task at temperature 0. */
  mcnemar: mcnemarSchema.nullable().default(null),
  /** What the numbers allow to say, a sentence each, the primary metric (funcSec) first. */
  conclusions: z.array(z.string()),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** What a benchmark's own method would print: samples that vanish from its results leave its denominator. */
export const upstreamScoresSchema = z.strictObject({
  func: share,
  funcSec: share,
  /** Samples in its results, of those that were asked for. */
  n: z.int().nonnegative(),
});
export type UpstreamScores = z.infer<typeof upstreamScoresSchema>;

/** How far an analyser agrees with the tests: samples by [tests: insecure?] × [analyser: finding?]. Functional ones only. */
export const agreementSchema = z.strictObject({
  analyser: z.enum(analyserNames),
  insecureFound: z.int().nonnegative(),
  insecureMissed: z.int().nonnegative(),
  secureFlagged: z.int().nonnegative(),
  secureClean: z.int().nonnegative(),
  /** Samples that it could not judge. */
  noOpinion: z.int().nonnegative(),
  /** Cohen's; null where one side never varies. */
  kappa: z.number().min(-1).max(1).nullable(),
});
export type Agreement = z.infer<typeof agreementSchema>;

export const referencesSchema = z.strictObject({
  tasks: z.int().nonnegative(),
  repeats: z.int().positive(),
  /** Tasks whose reference failed each time: their samples say nothing. */
  failed: z.array(z.string()),
  /** Tasks whose reference failed sometimes. */
  flaky: z.array(z.string()),
});
export type References = z.infer<typeof referencesSchema>;

const pairOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.strictObject({ base: schema, tuned: schema.optional() });

/** One benchmark of a run. */
export const benchmarkSummarySchema = z.strictObject({
  name: z.enum(benchmarkNames),
  /** "function": it has no security tests, and only `func` means something. */
  measures: z.enum(['functionAndSecurity', 'function']),
  models: pairOf(modelScoresSchema),
  difference: comparisonSchema.nullable(),
  /** Only of a benchmark whose own method counts otherwise. */
  upstream: pairOf(upstreamScoresSchema).nullable(),
  references: referencesSchema.nullable(),
  agreement: pairOf(z.array(agreementSchema)),
  /** Commit of the harness, tools and their versions, hashes of tasks and prompts. */
  versions: z.record(z.string(), z.string()),
  /** What was left out, and why, a sentence each. */
  excluded: z.array(z.string()),
  /** uris of the verdicts; null in summaries of older versions, and of gradings outside a store. */
  gradings: pairOf(z.string()).nullable().default(null),
});
export type BenchmarkSummary = z.infer<typeof benchmarkSummarySchema>;

export const trainingSummarySchema = z.strictObject({
  lossCurve: z.array(z.strictObject({ step: z.int().nonnegative(), loss: z.number() })),
  /** Loss on the traces that were kept out of training; null where none were. */
  evalLossBefore: z.number().nullable(),
  evalLossAfter: z.number().nullable(),
  /** Largest change of a logit that loading the exported adapter makes; 0 would mean that nothing was learned. */
  logitsMaxAbsDiff: z.number().nullable(),
  steps: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** The steps that later attempts went on from; empty when the training ran in one piece. */
  resumedFromSteps: z.array(z.int().nonnegative()),
});
export type TrainingSummary = z.infer<typeof trainingSummarySchema>;

export const stageSummarySchema = z.strictObject({
  name: z.string(),
  /** uri of what it published; null for a stage that publishes nothing. */
  artefact: z.string().nullable(),
  seconds: z.number().nonnegative(),
  /** Everything of it was there already. */
  reused: z.boolean(),
  rows: z.int().nonnegative(),
  costUsd: z.number().nonnegative(),
});
export type StageSummary = z.infer<typeof stageSummarySchema>;

/** How far the classifier agrees with labelled rows; the intervals are exact ones of 95 %. */
const rateSchema = z.strictObject({ value: share, low: share, high: share });
export const calibrationSummarySchema = z.strictObject({
  truePositives: z.int().nonnegative(),
  falsePositives: z.int().nonnegative(),
  falseNegatives: z.int().nonnegative(),
  trueNegatives: z.int().nonnegative(),
  /** Labelled rows without a usable answer; they are in no rate. */
  unanswered: z.int().nonnegative(),
  /** Null where nothing can be said, e.g. of precision when nothing was called relevant. */
  precision: rateSchema.nullable(),
  recall: rateSchema.nullable(),
  f1: rateSchema.nullable(),
});
export type CalibrationSummary = z.infer<typeof calibrationSummarySchema>;

export const dataSummarySchema = z.strictObject({
  /** Rows: in, kept, dropped, duplicates, nearDuplicates, contaminated, bad. */
  filter: countsSchema,
  /** Rows in, accepted traces, rejected answers (a row may have several), and what the oracles did. */
  distil: countsSchema,
  /** Rejected answers by reason, the most frequent first. */
  rejections: countsSchema,
  /** Accepted traces by weakness and by language; a trace may name several weaknesses. */
  cwes: countsSchema,
  languages: countsSchema,
  /** Null where the classifier was not measured. */
  calibration: calibrationSummarySchema.nullable(),
});
export type DataSummary = z.infer<typeof dataSummarySchema>;

export const summarySchema = z.strictObject({
  version: z.literal(1),
  run: z.strictObject({
    workflowId: z.string(),
    runId: z.string(),
    /** Name of the recipe. */
    recipe: z.string(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
  }),
  /** Of the first benchmark of `benchmarks`: the headline. */
  models: z.strictObject({ base: modelScoresSchema, tuned: modelScoresSchema.optional() }),
  /** Null where only one model was evaluated. */
  difference: comparisonSchema.nullable(),
  /** All benchmarks, the headline's first. Empty in summaries of older versions. */
  benchmarks: z.array(benchmarkSummarySchema).default([]),
  /** Benchmarks that the recipe allowed to be left out, and were. */
  skipped: z.array(z.strictObject({ name: z.enum(benchmarkNames), reason: z.string() })).default([]),
  /** How the two models are called. */
  labels: z.strictObject({ base: z.string(), tuned: z.string() }).default({ base: 'base', tuned: 'tuned' }),
  training: trainingSummarySchema.nullable(),
  /** What this run paid; artefacts that were reused cost nothing again. */
  costUsd: z.number().nonnegative(),
  usage: z.strictObject({ classifier: usageSchema.nullable(), teacher: usageSchema.nullable() }),
  stages: z.array(stageSummarySchema),
  /** By stage: in, kept, dropped, duplicates, bad, and rejections by reason. */
  counts: z.record(z.string(), countsSchema),
  /** Null in summaries of runs that had no data stages, and of older versions. */
  data: dataSummarySchema.nullable().default(null),
  /** Only of a re-evaluation: the nights of its series. */
  trend: trendSchema.nullable().default(null),
  versions: z.record(z.string(), z.string()),
  formulas: z.record(z.string(), z.string()),
});
export type Summary = z.infer<typeof summarySchema>;
