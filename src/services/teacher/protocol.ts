/** The part of the OpenAI chat protocol that the recorded teacher speaks. Pure. */
import { z } from 'zod';

/** Unknown fields are ignored, as real servers do; those that would change an answer are checked. */
export const chatRequestSchema = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  /** Chooses among the answers that are recorded for a task. */
  seed: z.int().nullish(),
  n: z.literal(1, 'only one answer is recorded').nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ name: z.string(), schema: z.record(z.string(), z.json()) }),
      }),
    ])
    .nullish(),
});
export type ChatCompletionRequest = z.infer<typeof chatRequestSchema>;

/** An error as OpenAI's API words it. */
export class ProtocolError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.status = status;
    this.code = code;
  }

  get body(): object {
    return { error: { message: this.message, type: 'invalid_request_error', param: null, code: this.code } };
  }
}

export interface Answer {
  readonly content: string;
  readonly reasoning: string | null;
  readonly finishReason: 'stop' | 'length';
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** Characters a token: a common rule of thumb for English and code. No tokenizer is run, so usage is an approximation. */
const CHARACTERS_PER_TOKEN = 4;
/** What a chat template adds to each message, roughly. */
const TOKENS_PER_MESSAGE = 4;

export function approximateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

export function usageOf(messages: ChatCompletionRequest['messages'], { content, reasoning }: Answer): Usage {
  const prompt = messages.reduce(
    (sum, message) => sum + TOKENS_PER_MESSAGE + approximateTokens(message.content),
    0,
  );
  const thought = approximateTokens(reasoning ?? '');
  const completion = thought + approximateTokens(content);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    completion_tokens_details: { reasoning_tokens: thought },
  };
}

/** Cuts an answer off where a model would have stopped generating: reasoning first, then text. */
export function cutAt(answer: Answer, maxTokens: number | null): Answer {
  if (maxTokens === null) return answer;
  const thought = approximateTokens(answer.reasoning ?? '');
  if (thought + approximateTokens(answer.content) <= maxTokens) return answer;
  const reasoning = answer.reasoning?.slice(0, maxTokens * CHARACTERS_PER_TOKEN) ?? null;
  return {
    reasoning,
    content: answer.content.slice(0, Math.max(0, maxTokens - thought) * CHARACTERS_PER_TOKEN),
    finishReason: 'length',
  };
}

interface Envelope {
  readonly id: string;
  readonly model: string;
  /** Seconds of the epoch. */
  readonly created: number;
}

export function completionBody(envelope: Envelope, answer: Answer, usage: Usage): object {
  const message = {
    role: 'assistant',
    content: answer.content,
    refusal: null,
    ...(answer.reasoning === null ? {} : { reasoning: answer.reasoning }),
  };
  return {
    ...envelope,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage,
  };
}

/** Characters of one streamed piece. */
const PIECE_CHARACTERS = 80;

/** The data of the server-sent events of a streamed answer, `[DONE]` included. */
export function* streamEvents(envelope: Envelope, answer: Answer, usage: Usage | null): Generator<string> {
  const chunk = (delta: object, finishReason: string | null): string =>
    JSON.stringify({
      ...envelope,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    });
  yield chunk({ role: 'assistant', content: '' }, null);
  for (const piece of piecesOf(answer.reasoning ?? '')) yield chunk({ reasoning: piece }, null);
  for (const piece of piecesOf(answer.content)) yield chunk({ content: piece }, null);
  yield chunk({}, answer.finishReason);
  if (usage !== null)
    yield JSON.stringify({ ...envelope, object: 'chat.completion.chunk', choices: [], usage });
  yield '[DONE]';
}

function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += PIECE_CHARACTERS) yield text.slice(at, at + PIECE_CHARACTERS);
}
