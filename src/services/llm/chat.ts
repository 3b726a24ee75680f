/** What is asked of a chat endpoint and what comes back, in the words that ledger, runner and client share. */
import { z } from 'zod';
import type { Sampling } from '../../contract/recipe.ts';
import type { ChatMessage } from '../../contract/rows.ts';

export interface ResponseSchema {
  /** Name of the schema as the endpoint sees it: letters, digits, `_` and `-`. */
  readonly name: string;
  readonly schema: z.ZodType;
}

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
  /** Asks for structured output; the text is parsed by `parseStructured`, after it is in the ledger. */
  readonly responseSchema?: ResponseSchema;
  /** Which sample of the same request, from 0 (default); the seed that is sent is `sampling.seed` plus this. */
  readonly index?: number;
}

export const tokenUsageSchema = z.strictObject({
  promptTokens: z.int().nonnegative(),
  /** All generated tokens, reasoning included. */
  completionTokens: z.int().nonnegative(),
  /** The part of completionTokens that was reasoning, where the endpoint says so, else 0. */
  reasoningTokens: z.int().nonnegative(),
});
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

export const completionSchema = z.strictObject({
  /** The answer without its reasoning. */
  text: z.string(),
  reasoning: z.string().nullable(),
  /** The think tags of the raw text did not balance: the text is left as it came. */
  unbalancedThink: z.boolean(),
  finishReason: z.enum(['stop', 'length', 'other']),
  usage: tokenUsageSchema,
  /** False: the endpoint did not say, and `usage` is estimated from bytes (`wire.ts`). */
  usageKnown: z.boolean().default(true),
  latencyMs: z.number().nonnegative(),
  /** The model as the endpoint names itself. */
  model: z.string(),
});
export type Completion = z.infer<typeof completionSchema>;
