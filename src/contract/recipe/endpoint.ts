/** A model that answers over an OpenAI-compatible API, and how it is asked. Keys are named by variable. */
import { z } from 'zod';

const environmentName = z
  .string()
  .regex(
    /^[A-Z_][A-Z0-9_]{0,127}$/,
    'must be the NAME of an environment variable (upper case, digits, _), never a value',
  );

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
