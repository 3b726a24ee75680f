/** Maps what an endpoint can do wrong onto the error catalogue, and says what the runner may do about it. */
import { APIConnectionTimeoutError, APIError, OpenAIError } from 'openai';
import { messageOf, SecpiError, type ErrorCode, type SecpiErrorOptions } from '../../contract/errors.ts';
import { redact } from '../../contract/secrets.ts';
import { retryAfterMs } from './backoff.ts';
import { MAX_BODY_BYTES } from './transport.ts';

/**
 * What a failed request means for the others:
 * `endpoint`: they fail too, nothing mends it by itself; `request`: this one will never succeed;
 * `down`: nobody answers; `limited`: told to slow down; `fault`: this attempt broke, the next may not.
 */
export type FailureKind = 'endpoint' | 'request' | 'down' | 'limited' | 'fault';

export interface EndpointErrorOptions extends SecpiErrorOptions {
  /** The HTTP status of a whole answer that was no completion. */
  readonly status?: number;
  /** Default: what was neither refused by a whole answer nor by nobody being there may be. */
  readonly mayBeCharged?: boolean;
}

export class EndpointError extends SecpiError {
  readonly kind: FailureKind;
  readonly status: number | null;
  /** The provider may have charged for the attempt: the answer broke on its way, or cannot be used. */
  readonly mayBeCharged: boolean;

  constructor(kind: FailureKind, code: ErrorCode, problem: string, options: EndpointErrorOptions = {}) {
    super(code, problem, options);
    this.name = 'EndpointError';
    this.kind = kind;
    this.status = options.status ?? null;
    this.mayBeCharged = options.mayBeCharged ?? (this.status === null && kind !== 'down');
  }
}

export interface EndpointName {
  readonly baseUrl: string;
  readonly model: string;
  /** Name of the key's environment variable, for remedies. */
  readonly apiKeyEnv?: string;
  /** The key itself, only to be removed from what is printed. */
  readonly apiKey?: string;
  /** Path of the endpoint within the recipe, e.g. `filter.classifier`. */
  readonly field?: string;
  readonly timeoutMs: number;
}

const DOWN_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** Code of the error that ends a request which took longer than `timeoutMs`. */
export const WALL_TIMEOUT = 'SECPI_WALL_TIMEOUT';
const TLS_CODE = /^(?:EPROTO$|CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_)/;
/** A 429 that no waiting mends: the account is out of money. */
const OUT_OF_MONEY = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active']);

const NOT_RECORDED = new Set(['unknown_task', 'no_recorded_trace']);

/** Any value thrown by the client or the transport, as an error of the catalogue. The key is nowhere in it. */
export function toEndpointError(thrown: unknown, endpoint: EndpointName): EndpointError {
  if (thrown instanceof EndpointError) return thrown;
  const clean = (text: string): string => withoutKey(text, endpoint.apiKey);
  const fail = (
    kind: FailureKind,
    code: ErrorCode,
    problem: string,
    options: EndpointErrorOptions = {},
  ): EndpointError =>
    new EndpointError(kind, code, clean(`${problem} (${endpoint.baseUrl}, model ${endpoint.model}).`), {
      ...(endpoint.field === undefined ? {} : { field: endpoint.field }),
      ...options,
      cause: causeOf(thrown, clean),
    });
  const code = socketCode(thrown);
  if (code !== null && DOWN_CODES.has(code))
    // An established connection can end so too, after the request went out.
    return fail('down', 'ENDPOINT_UNREACHABLE', `nobody answers: ${code}`, {
      mayBeCharged: code === 'ETIMEDOUT',
    });
  if (thrown instanceof APIConnectionTimeoutError || code === WALL_TIMEOUT) {
    return fail('fault', 'ENDPOINT_OVERLOADED', `no answer within ${endpoint.timeoutMs} ms`, {
      remedy: 'It is tried again; raise timeoutSeconds when answers take that long.',
    });
  }
  if (thrown instanceof APIError && typeof thrown.status === 'number') {
    const { status } = thrown;
    return fromStatus(thrown, status, endpoint, (kind, errorCode, problem, options) =>
      fail(kind, errorCode, problem, { ...options, status }),
    );
  }
  if (code !== null && TLS_CODE.test(code)) {
    return fail('endpoint', 'ENDPOINT_REFUSED', `no trusted TLS connection: ${code}`, {
      remedy:
        'Use the right host name, http or https as the endpoint speaks it, or add its certificate (NODE_EXTRA_CA_CERTS).',
    });
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return fail('request', 'ANSWER_UNUSABLE', `the answer is larger than ${MAX_BODY_BYTES} bytes`);
  if (thrown instanceof SyntaxError)
    return fail('fault', 'ENDPOINT_OVERLOADED', `the answer is not JSON: ${thrown.message}`);
  if (code !== null) return fail('fault', 'ENDPOINT_OVERLOADED', `the connection broke: ${code}`);
  if (thrown instanceof OpenAIError)
    return fail('fault', 'ENDPOINT_OVERLOADED', `the request failed: ${rootMessage(thrown)}`);
  return fail('endpoint', 'INTERNAL', `unexpected: ${messageOf(thrown)}`);
}

/** The error of a whole answer that is no 2xx, from its body as text. */
export function statusError(
  status: number,
  text: string,
  headers: Headers,
  endpoint: EndpointName,
): EndpointError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The text itself is the message then.
  }
  // As the OpenAI client reads it: `{error: {…}}`, or the error itself.
  const said = isObject(body) && (!('error' in body) || body.error == null) ? { error: body } : body;
  const error = APIError.generate(
    status,
    isObject(said) ? said : undefined,
    body ? undefined : text,
    headers,
  );
  return toEndpointError(error, endpoint);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

type Fail = (
  kind: FailureKind,
  code: ErrorCode,
  problem: string,
  options?: SecpiErrorOptions,
) => EndpointError;

function fromStatus(error: APIError, status: number, endpoint: EndpointName, fail: Fail): EndpointError {
  const said = `HTTP ${status}${saidBy(error)}`;
  const wait = retryAfterMs(error.headers, Date.now());
  const waiting: SecpiErrorOptions = wait === null ? {} : { retryAfterMs: wait };
  const keyed = endpoint.apiKeyEnv ?? 'apiKeyEnv';
  if (status === 401 || status === 403) {
    const remedy = `Check the key in the environment variable ${keyed} of the worker, and that it may use this model.`;
    return fail('endpoint', 'ENDPOINT_REFUSED', said, { remedy, ...fieldOf(endpoint, 'apiKeyEnv') });
  }
  if (status === 402 || (status === 429 && OUT_OF_MONEY.has(error.code ?? ''))) {
    return fail('endpoint', 'ENDPOINT_REFUSED', said, {
      remedy: `Top up the account of the key in ${keyed}, then run again: nothing is paid twice.`,
    });
  }
  if (status === 404) {
    // The recorded teacher's own: the message says which task, and the model is right.
    if (NOT_RECORDED.has(error.code ?? '')) {
      return fail('endpoint', 'ENDPOINT_REFUSED', said, {
        remedy: 'Use the dataset that the records are for, or name a real endpoint.',
      });
    }
    const remedy = 'Check the model name and that baseUrl ends where the API does (often /v1).';
    return fail('endpoint', 'ENDPOINT_REFUSED', said, { remedy, ...fieldOf(endpoint, 'model') });
  }
  // A gateway says 502 and 504 while the server behind it is away: no fault of the request.
  if ([429, 502, 503, 504].includes(status)) return fail('limited', 'ENDPOINT_OVERLOADED', said, waiting);
  if (status === 408 || status === 409 || status === 425 || status >= 500)
    return fail('fault', 'ENDPOINT_OVERLOADED', said, waiting);
  if (status >= 300 && status < 400) {
    const remedy =
      'Give the address that the endpoint redirects to; redirects are not followed, so that the key stays with its host.';
    return fail('endpoint', 'ENDPOINT_REFUSED', said, { remedy, ...fieldOf(endpoint, 'baseUrl') });
  }
  return fail('request', 'ENDPOINT_REFUSED', said);
}

function fieldOf(endpoint: EndpointName, name: string): { field: string } {
  return { field: endpoint.field === undefined ? name : `${endpoint.field}.${name}` };
}

/** The server's own words, at most 300 characters. */
function saidBy(error: APIError): string {
  const message = error.message
    .replace(/^\d{3}\s*/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const code = error.code ? ` ${error.code}` : '';
  return message === '' ? code : `${code}: ${message.slice(0, 300)}`;
}

function socketCode(thrown: unknown): string | null {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if (error instanceof AggregateError) {
      const inner = error.errors.map(socketCode).find((code) => code !== null);
      if (inner !== undefined) return inner;
    }
  }
  return null;
}

function rootMessage(thrown: unknown): string {
  let message = messageOf(thrown);
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1)
    message = error.message;
  return message;
}

/** The cause without its headers and bodies, which may echo the key. */
function causeOf(thrown: unknown, clean: (text: string) => string): Error {
  const cause = new Error(clean(messageOf(thrown)).slice(0, 1000));
  if (thrown instanceof Error) cause.name = thrown.name;
  return cause;
}

export function withoutKey(text: string, apiKey: string | undefined): string {
  const plain = apiKey === undefined || apiKey === '' ? text : text.replaceAll(apiKey, '[redacted]');
  return redact(plain).replace(/Bearer\s+[^\s"']+/gi, 'Bearer [redacted]');
}
