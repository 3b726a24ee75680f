/** One chat completion over the `openai` client: no retries of its own, errors of the catalogue, reasoning found. */
import OpenAI from 'openai';
import { z } from 'zod';
import type { ChatRequest, Completion } from './chat.ts';
import { EndpointError, toEndpointError, type EndpointName } from './errors.ts';
import { splitReasoning } from './reasoning.ts';
import { responseFormatOf } from './structured.ts';
import { createTransport } from './transport.ts';

export interface ChatClientOptions {
  /** Root of the API, e.g. `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** Name of the variable that held the key, for remedies. */
  readonly apiKeyEnv?: string;
  readonly model: string;
  /** Wall time of one request, body included. */
  readonly timeoutMs: number;
  /** Path of the endpoint within the recipe, for errors. */
  readonly field?: string;
}

export interface CompleteRequest extends ChatRequest {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ChatClient {
  readonly model: string;
  /** Throws `EndpointError`; when the signal is aborted, the signal's reason. */
  complete(request: CompleteRequest): Promise<Completion>;
  close(): void;
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

export function createChatClient(options: ChatClientOptions): ChatClient {
  const transport = createTransport();
  const endpoint: EndpointName = options;
  // Everything the OpenAI client would read from the environment is set here: another account's key, organisation or
  // base URL must not slip in. It insists on some key; an endpoint without one ignores it.
  const openai = new OpenAI({
    baseURL: options.baseUrl,
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: options.timeoutMs,
    logLevel: 'off',
    fetch: transport.fetch,
  });
  return {
    model: options.model,
    complete: async (request) => {
      const startedMs = performance.now();
      let body: unknown;
      try {
        body = await openai.chat.completions.create(
          { ...bodyOf(request, options.model), stream: false },
          {
            ...(request.signal === undefined ? {} : { signal: request.signal }),
            ...(request.headers === undefined ? {} : { headers: request.headers }),
          },
        );
      } catch (error) {
        request.signal?.throwIfAborted();
        throw toEndpointError(error, endpoint);
      }
      return toCompletion(body, performance.now() - startedMs, endpoint);
    },
    close: () => transport.close(),
  };
}

/** `max_tokens` is what every compatible server reads; `seed` is ignored by those that have none. */
function bodyOf(
  { messages, sampling, responseSchema }: ChatRequest,
  model: string,
): OpenAI.ChatCompletionCreateParams {
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxTokens,
    seed: sampling.seed,
    ...(responseSchema === undefined ? {} : { response_format: responseFormatOf(responseSchema) }),
  };
}

function toCompletion(body: unknown, latencyMs: number, endpoint: EndpointName): Completion {
  const fault = (problem: string, cause?: unknown): EndpointError =>
    new EndpointError(
      'fault',
      'ENDPOINT_OVERLOADED',
      `${problem} (${endpoint.baseUrl}, model ${endpoint.model}).`,
      {
        ...(endpoint.field === undefined ? {} : { field: endpoint.field }),
        remedy: 'It is tried again; if it stays, check that baseUrl is the root of an OpenAI-compatible API.',
        cause,
      },
    );
  if (typeof body !== 'object' || body === null) throw fault('the answer is not JSON');
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) throw fault('the answer is not a chat completion', parsed.error);
  const choice = parsed.data.choices?.[0];
  if (choice === undefined) throw fault('the answer has no choices');
  const { message, finish_reason: finish } = choice;
  const split = splitReasoning({
    content: message.content ?? message.refusal ?? '',
    reasoning: message.reasoning,
    reasoningContent: message.reasoning_content,
  });
  const usage = parsed.data.usage;
  return {
    // Half a surrogate pair, which JSON may carry, has no UTF-8 form and could not be hashed or stored.
    text: split.text.toWellFormed(),
    reasoning: split.reasoning?.toWellFormed() ?? null,
    unbalancedThink: split.unbalancedThink,
    finishReason: finish === 'stop' || finish === 'length' ? finish : 'other',
    usage: {
      promptTokens: usage?.prompt_tokens ?? 0,
      completionTokens: usage?.completion_tokens ?? 0,
      reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    },
    latencyMs,
    model: parsed.data.model ?? endpoint.model,
  };
}
