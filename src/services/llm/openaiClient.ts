/** The same completions over the `openai` client: the reference that the hot path is held to, and slower. */
import OpenAI from 'openai';
import type { ChatClient, ChatClientOptions } from './client.ts';
import { toEndpointError } from './errors.ts';
import { createTransport } from './transport.ts';
import { bodyOf, toCompletion } from './wire.ts';

export function createOpenAiClient(options: ChatClientOptions): ChatClient {
  const { model, tokenLimitField = 'max_tokens' } = options;
  const transport = createTransport();
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
    model,
    complete: async (request) => {
      const startedMs = performance.now();
      let body: unknown;
      try {
        body = await openai.chat.completions.create(bodyOf(request, { model, tokenLimitField }), {
          ...(request.signal === undefined ? {} : { signal: request.signal }),
          ...(request.headers === undefined ? {} : { headers: request.headers }),
        });
      } catch (error) {
        request.signal?.throwIfAborted();
        throw toEndpointError(error, options);
      }
      return toCompletion(body, performance.now() - startedMs, options, request);
    },
    close: async () => await transport.close(),
  };
}
