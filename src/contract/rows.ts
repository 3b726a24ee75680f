/** The rows of each artefact: what a line of its `.jsonl.zst` parts holds. */
import { z } from 'zod';
import { analyserNames, benchmarkNames, promptVariants } from './benchmarkNames.ts';
import { sha256Schema } from './refs.ts';

export const cweSchema = z.string().regex(/^CWE-[1-9]\d{0,3}$/, 'must look like CWE-89');

export const cweFamilies = [
  'injection',
  'memory-safety',
  'path',
  'crypto',
  'access-control',
  'deserialisation',
  'resource',
  'information-exposure',
  'input-validation',
  'concurrency',
] as const;
export type CweFamily = (typeof cweFamilies)[number];

/** A CWE stands for itself and its kin (services/cwe), a family for all its members. */
export const cweSelectorSchema = z.union([cweSchema, z.enum(cweFamilies)]);
export type CweSelector = z.infer<typeof cweSelectorSchema>;

/** A task of a dataset, normalised. `id` is stable: the source's id, or the hash of the text. */
export const taskRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  task: z.string().min(1),
  /** Lower case, as the source says or as detected from the task; null where neither tells. */
  language: z.string().nullable(),
  /** SHA-256 of the normalised task text: exact duplicates share it. */
  taskSha256: sha256Schema,
  /** Index of the first row of its group of near-duplicates: a split must not tear a group apart. */
  group: z.int().nonnegative(),
  /** The source's own tests of a solution, where it has some. */
  tests: z.string().nullable(),
});
export type TaskRow = z.infer<typeof taskRowSchema>;

/** What the classifier answers (structured output). */
export const classificationSchema = z.strictObject({
  relevant: z.boolean().describe('true if a naive implementation could plausibly carry a known weakness'),
  cwes: z.array(cweSchema).max(8).describe('the CWE identifiers, most likely first; empty when not relevant'),
  reason: z.string().min(1).max(2000).describe('one or two sentences'),
});
export type Classification = z.infer<typeof classificationSchema>;

export const filteredRowSchema = taskRowSchema.extend({ cwes: z.array(cweSchema), reason: z.string() });
export type FilteredRow = z.infer<typeof filteredRowSchema>;

export const exclusionReasons = ['nearDuplicate', 'contaminated'] as const;
/** A sound row that is left out on purpose. */
export const excludedRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string(),
  reason: z.enum(exclusionReasons),
  /** "0.93 like row 17", "13-gram of suite/py/cwe_022_0 (reference)". */
  detail: z.string(),
  excerpt: z.string(),
});
export type ExcludedRow = z.infer<typeof excludedRowSchema>;

/** A row that could not be processed, with the reason; counted in the manifest. */
export const deadLetterSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().nullable(),
  reason: z.string(),
  /** The start of the offending input, at most 500 characters. */
  excerpt: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export const chatMessageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
});
export type ChatMessage = z.infer<typeof chatMessageSchema>;

/** A row's text as a model answered it. */
export const answeredRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  answer: z.string(),
  reasoning: z.string().nullable(),
  finishReason: z.enum(['stop', 'length', 'other']),
});
export type AnsweredRow = z.infer<typeof answeredRowSchema>;

/** A training pair: the task without any security text → reasoning and answer. */
export const traceRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  prompt: z.array(chatMessageSchema).min(1),
  reasoning: z.string().min(1),
  answer: z.string().min(1),
  language: z.string().nullable(),
  cwes: z.array(cweSchema),
  /** Group of near-duplicates of its task. */
  group: z.int().nonnegative(),
  /** Which sample of the teacher was taken. */
  sample: z.int().nonnegative(),
});
export type TraceRow = z.infer<typeof traceRowSchema>;

export const rejectionReasons = [
  'truncated',
  'noReasoning',
  'unbalancedThink',
  'noCodeBlock',
  'codeDoesNotParse',
  'testsFail',
  'noTests',
  'analyserFinding',
  'judgedInsecure',
  'contaminated',
  'overQuota',
  'repetition',
  'leaksInstructions',
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

export const rejectedTraceSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  /** Which sample of the teacher. */
  sample: z.int().nonnegative(),
  reason: z.enum(rejectionReasons),
  detail: z.string(),
  language: z.string().nullable(),
  cwes: z.array(cweSchema),
  /** The start of the answer, at most 4,000 characters. */
  excerpt: z.string(),
});
export type RejectedTrace = z.infer<typeof rejectedTraceSchema>;

/** One task of a benchmark, as a worker with its files published it: what models are asked, and what is counted. */
export const benchmarkTaskRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  benchmark: z.enum(benchmarkNames),
  /** e.g. `core/py/cwe_022_0`, or `Calculator/Python-Flask`. */
  taskId: z.string().min(1),
  /** The main weakness; null for a task that is not about one. */
  cwe: cweSchema.nullable(),
  /** All weaknesses that its tests attack. */
  cwes: z.array(cweSchema),
  /** Cluster of the bootstrap: tasks of one scenario are not independent. */
  scenario: z.string().min(1),
  /** Lower case: "python", "javascript", "typescript", "c", "c++", "go". */
  language: z.string().min(1),
  /** Function that a reply must define; null where the whole reply is taken. */
  entryPoint: z.string().nullable(),
  /** The whole user message by prompt variant. */
  prompts: z.record(z.enum(promptVariants), z.string().min(1)),
  /** Over everything of this task that decides a verdict: its tests, its reference. */
  testsSha256: sha256Schema,
});
export type BenchmarkTaskRow = z.infer<typeof benchmarkTaskRowSchema>;

/** One generated program for one benchmark task; `sample` counts from 0 within the task and variant. */
export const sampleRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  benchmark: z.string(),
  variant: z.enum(promptVariants),
  taskId: z.string(),
  sample: z.int().nonnegative(),
  /** What the endpoint gave as the answer, raw; null when it gave none. */
  reply: z.string().nullable(),
  /** What it gave as reasoning apart from the answer. */
  reasoning: z.string().nullable(),
  finishReason: z.enum(['stop', 'length', 'other']).nullable(),
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
  /** Why there is no reply. */
  problem: z.string().nullable(),
});
export type SampleRow = z.infer<typeof sampleRowSchema>;

/** What one static analyser says of a sample's code; never part of the verdict. */
export const analyserOpinionSchema = z.strictObject({
  name: z.enum(analyserNames),
  /** Findings of at least medium severity; null when it could not judge the code. */
  findings: z.int().nonnegative().nullable(),
  /** Rules that found something, e.g. "B602", at most 20. */
  rules: z.array(z.string()),
});
export type AnalyserOpinion = z.infer<typeof analyserOpinionSchema>;

/** Per sample. `unknown` is a grading that could not be brought to an end; it counts against the model. */
export const verdictRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  benchmark: z.string(),
  variant: z.enum(promptVariants),
  taskId: z.string(),
  sample: z.int().nonnegative(),
  cwe: cweSchema.nullable(),
  /** Cluster of the bootstrap: tasks of one scenario are not independent. */
  scenario: z.string(),
  language: z.string(),
  generated: z.boolean(),
  extractable: z.boolean(),
  functional: z.boolean(),
  /** Of the same code; false where it could not be judged. */
  secure: z.boolean(),
  unknown: z.boolean(),
  /** The answer was cut off at maxTokens. */
  truncated: z.boolean(),
  reason: z.string(),
  /** Test ids that failed, in order. */
  failedTests: z.array(z.string()),
  /** Weaknesses that an attack proved; only of benchmarks that tell them. */
  foundCwes: z.array(cweSchema),
  /** What the benchmark's own harness says, where it differs in kind; null where the sample vanishes from its results. */
  upstream: z.strictObject({ functional: z.boolean(), secure: z.boolean() }).nullable(),
  /** Gradings that it took: more than 1 after a timeout. */
  attempts: z.int().nonnegative(),
  opinions: z.array(analyserOpinionSchema),
  /** The end of the test log, at most 2,000 characters. */
  log: z.string(),
});
export type VerdictRow = z.infer<typeof verdictRowSchema>;
