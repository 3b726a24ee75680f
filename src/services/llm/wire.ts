/** The chat completion as it travels: the body of a request, and what is read of an answer. Pure. */
import type OpenAI from 'openai';
import { z } from 'zod';
import type { ChatRequest, Completion } from './chat.ts';
import { EndpointError, type EndpointName } from './errors.ts';
import { splitReasoning } from './reasoning.ts';
import { responseFormatOf } from './structured.ts';

export interface BodyOptions {
  /** The model's name at this address. */
  readonly model: string;
  /** OpenAI's reasoning models want `max_completion_tokens`; every other server reads `max_tokens`. */
  readonly tokenLimitField: 'max_tokens' | 'max_completion_tokens';
}

/** `seed` is ignored by servers that have none. */
export function bodyOf(
  { messages, sampling, responseSchema, index = 0 }: ChatRequest,
  { model, tokenLimitField }: BodyOptions,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    [tokenLimitField]: sampling.maxTokens,
    seed: sampling.seed + index,
    ...(responseSchema === undefined ? {} : { response_format: responseFormatOf(responseSchema) }),
    stream: false,
  };
}

const tokens = z.number().int().nonnegative();
/** What is read of an answer; servers add and leave out at will. */
const answerSchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          reasoning: z.string().nullish(),
          reasoning_content: z.string().nullish(),
        }),
      }),
    )
    .nullish(),
  usage: z
    .object({
      prompt_tokens: tokens.nullish(),
      completion_tokens: tokens.nullish(),
      completion_tokens_details: z.object({ reasoning_tokens: tokens.nullish() }).nullish(),
    })
    .nullish(),
});

/** Roughly what English and code need; an endpoint that reports no usage must not look free. */
const BYTES_PER_TOKEN = 4;

/** Throws an EndpointError of kind `fault` for what is no chat completion. `request` serves to estimate missing usage. */
export function toCompletion(
  body: unknown,
  latencyMs: number,
  endpoint: EndpointName,
  request: Pick<ChatRequest, 'messages'>,
): Completion {
  if (typeof body !== 'object' || body === null) throw malformed('the answer is not JSON', endpoint);
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) throw malformed('the answer is not a chat completion', endpoint, parsed.error);
  const choice = parsed.data.choices?.[0];
  if (choice === undefined) throw malformed('the answer has no choices', endpoint);
  const { message, finish_reason: finish } = choice;
  const split = splitReasoning({
    content: message.content ?? message.refusal ?? '',
    reasoning: message.reasoning,
    reasoningContent: message.reasoning_content,
  });
  const { usage } = parsed.data;
  const promptTokens = usage?.prompt_tokens ?? null;
  const completionTokens = usage?.completion_tokens ?? null;
  return {
    // Half a surrogate pair, which JSON may carry, has no UTF-8 form and could not be hashed or stored.
    text: split.text.toWellFormed(),
    reasoning: split.reasoning?.toWellFormed() ?? null,
    unbalancedThink: split.unbalancedThink,
    finishReason: finish === 'stop' || finish === 'length' ? finish : 'other',
    usage: {
      promptTokens: promptTokens ?? promptTokensOf(request),
      completionTokens: completionTokens ?? tokensOf(split.text) + tokensOf(split.reasoning ?? ''),
      reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    },
    usageKnown: promptTokens !== null && completionTokens !== null,
    latencyMs,
    model: parsed.data.model ?? endpoint.model,
  };
}

/** An estimate of a prompt's tokens. */
export function promptTokensOf({ messages }: Pick<ChatRequest, 'messages'>): number {
  let tokensSum = 0;
  for (const { content } of messages) tokensSum += tokensOf(content);
  return tokensSum;
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function malformed(problem: string, endpoint: EndpointName, cause?: unknown): EndpointError {
  return new EndpointError(
    'fault',
    'ENDPOINT_OVERLOADED',
    `${problem} (${endpoint.baseUrl}, model ${endpoint.model}).`,
    {
      ...(endpoint.field === undefined ? {} : { field: endpoint.field }),
      remedy: 'It is tried again; if it stays, check that baseUrl is the root of an OpenAI-compatible API.',
      cause,
    },
  );
}
