/** One line of a batch's output or error file: what became of one request. Pure. */
import { APIError } from 'openai';
import { z } from 'zod';
import type { ChatRequest, Completion } from '../chat.ts';
import { EndpointError, toEndpointError, type EndpointName } from '../errors.ts';
import { toCompletion } from '../wire.ts';

export type LineOutcome =
  | { readonly kind: 'answer'; readonly key: string; readonly completion: Completion }
  /** `charged`: the provider answered and may have charged, but nobody can use it. */
  | {
      readonly kind: 'error';
      readonly key: string;
      readonly error: EndpointError;
      readonly charged: boolean;
    }
  /** Of a row that nobody asks about. */
  | { readonly kind: 'foreign' }
  /** Torn, or no line of a batch. */
  | { readonly kind: 'unreadable' };

const lineSchema = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.int(), body: z.unknown() }).nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

export interface LineContext {
  readonly endpoint: EndpointName;
  /** Time of the whole batch: a provider says no other. */
  readonly latencyMs: number;
  readonly requestOf: (key: string) => Pick<ChatRequest, 'messages'> | undefined;
}

export function readOutputLine(line: string, { endpoint, latencyMs, requestOf }: LineContext): LineOutcome {
  const parsed = lineSchema.safeParse(jsonOf(line));
  if (!parsed.success) return { kind: 'unreadable' };
  const { custom_id: key, response, error } = parsed.data;
  const request = requestOf(key);
  if (request === undefined) return { kind: 'foreign' };
  if (!response) {
    const said = [error?.code, error?.message].filter((part) => part).join(': ');
    return { kind: 'error', key, error: unanswered(said, endpoint), charged: false };
  }
  const { status_code: status, body } = response;
  if (status < 200 || status >= 300) {
    const failure = APIError.generate(status, objectOf(body), undefined, new Headers());
    return { kind: 'error', key, error: toEndpointError(failure, endpoint), charged: false };
  }
  try {
    return { kind: 'answer', key, completion: toCompletion(body, latencyMs, endpoint, request) };
  } catch (thrown) {
    return { kind: 'error', key, error: toEndpointError(thrown, endpoint), charged: true };
  }
}

/** A request that the batch ended without: expired, cancelled, or lost. */
function unanswered(said: string, endpoint: EndpointName): EndpointError {
  return new EndpointError(
    'fault',
    'ENDPOINT_OVERLOADED',
    `the batch ended without an answer${said === '' ? '' : `: ${said}`} (${endpoint.baseUrl}, model ${endpoint.model}).`,
    endpoint.field === undefined ? {} : { field: endpoint.field },
  );
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Providers send `{"error": {…}}`; a text is taken as the message. */
function objectOf(body: unknown): object {
  if (typeof body === 'object' && body !== null) return body;
  return { error: { message: typeof body === 'string' ? body : JSON.stringify(body) } };
}
