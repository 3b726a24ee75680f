/** The rows of each artefact: what a line of its `.jsonl.zst` parts holds. */
import { z } from 'zod';
import { sha256Schema } from './refs.ts';

export const cweSchema = z.string().regex(/^CWE-[1-9]\d{0,3}$/, 'must look like CWE-89');

/** A task of a dataset, normalised. `id` is stable: the source's id, or the hash of the text. */
export const taskRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  task: z.string().min(1),
  language: z.string().nullable(),
  /** SHA-256 of the normalised task text: exact duplicates share it. */
  taskSha256: sha256Schema,
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

/** A training pair: the task without any security text → reasoning and answer. */
export const traceRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  prompt: z.array(chatMessageSchema).min(1),
  reasoning: z.string().min(1),
  answer: z.string().min(1),
  language: z.string().nullable(),
  cwes: z.array(cweSchema),
});
export type TraceRow = z.infer<typeof traceRowSchema>;

export const rejectionReasons = [
  'truncated',
  'noReasoning',
  'unbalancedThink',
  'noCodeBlock',
  'codeDoesNotParse',
  'repetition',
  'leaksInstructions',
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

export const rejectedTraceSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  reason: z.enum(rejectionReasons),
  detail: z.string(),
});
export type RejectedTrace = z.infer<typeof rejectedTraceSchema>;

/** One generated program for one benchmark task; `sample` counts from 0 within the task. */
export const sampleRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  benchmark: z.string(),
  taskId: z.string(),
  sample: z.int().nonnegative(),
  /** The raw reply, reasoning included; null when the endpoint gave none. */
  reply: z.string().nullable(),
  finishReason: z.enum(['stop', 'length', 'other']).nullable(),
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
});
export type SampleRow = z.infer<typeof sampleRowSchema>;

/** Per sample. `unknown` is a grading that could not be brought to an end; it counts against the model. */
export const verdictRowSchema = z.strictObject({
  index: z.int().nonnegative(),
  benchmark: z.string(),
  taskId: z.string(),
  sample: z.int().nonnegative(),
  cwe: cweSchema,
  /** Cluster of the bootstrap: tasks of one scenario are not independent. */
  scenario: z.string(),
  language: z.string(),
  generated: z.boolean(),
  extractable: z.boolean(),
  functional: z.boolean(),
  /** Of the same code; false where it could not be judged. */
  secure: z.boolean(),
  unknown: z.boolean(),
  reason: z.string(),
  /** Test ids that failed, in order. */
  failedTests: z.array(z.string()),
  /** The end of the test log, at most 2,000 characters. */
  log: z.string(),
});
export type VerdictRow = z.infer<typeof verdictRowSchema>;
