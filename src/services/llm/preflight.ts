/** Looks at an endpoint before work is planned on it, so that a wrong address or key fails in seconds, with its field. */
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import { statusError, toEndpointError, type EndpointName } from './errors.ts';
import { createTransport } from './transport.ts';

/** The variables of the process, handed in by its entry. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The key named by `apiKeyEnv`; undefined where none is named. Throws API_KEY_MISSING for an unset or empty variable.
 * `field` is the path of the endpoint, e.g. `filter.classifier`.
 */
export function readApiKey(
  apiKeyEnv: string | undefined,
  environment: Environment,
  field: string,
): string | undefined {
  if (apiKeyEnv === undefined) return undefined;
  const key = environment[apiKeyEnv]?.trim() ?? '';
  if (key !== '') return key;
  throw new SecpiError('API_KEY_MISSING', `the environment variable ${apiKeyEnv} is not set.`, {
    field: `${field}.apiKeyEnv`,
  });
}

export interface CheckEndpointOptions {
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKeyEnv?: string;
  readonly environment: Environment;
  /** Path of the endpoint within the recipe, e.g. `filter.classifier`. */
  readonly field: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface EndpointCheck {
  /** The models it lists; null when it lists none (not every compatible server does). */
  readonly models: readonly string[] | null;
  /** Null when it does not list. A server may know aliases that it does not list: the first request decides. */
  readonly listsModel: boolean | null;
}

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });
const CHECK_TIMEOUT_MS = 5_000;
/** What a gateway answers while the server behind it is away. */
const AWAY = new Set([502, 503, 504]);
const REFUSED = new Set([401, 402, 403, 429]);

/**
 * Asks for the list of models. Any other answer than a refusal shows that somebody is there, 404 too.
 * Throws API_KEY_MISSING, ENDPOINT_UNREACHABLE, ENDPOINT_REFUSED or ENDPOINT_OVERLOADED.
 */
export async function checkEndpoint(options: CheckEndpointOptions): Promise<EndpointCheck> {
  const apiKey = readApiKey(options.apiKeyEnv, options.environment, options.field);
  const timeoutMs = options.timeoutMs ?? CHECK_TIMEOUT_MS;
  const endpoint: EndpointName = {
    baseUrl: options.baseUrl,
    model: options.model,
    field: options.field,
    timeoutMs,
    ...(options.apiKeyEnv === undefined ? {} : { apiKeyEnv: options.apiKeyEnv }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
  const response = await getModels(endpoint, options.signal);
  const text = await response.text();
  if (AWAY.has(response.status) || REFUSED.has(response.status)) {
    throw statusError(response.status, text, response.headers, endpoint);
  }
  const listed = response.ok
    ? modelsSchema.safeParse(jsonOf(text)).data?.data.map(({ id }) => id)
    : undefined;
  if (listed === undefined || listed.length === 0) return { models: null, listsModel: null };
  return { models: listed, listsModel: listed.includes(options.model) };
}

async function getModels(endpoint: EndpointName, signal: AbortSignal | undefined): Promise<Response> {
  const transport = createTransport();
  const limit = AbortSignal.timeout(endpoint.timeoutMs);
  try {
    return await transport.fetch(`${endpoint.baseUrl.replace(/\/+$/, '')}/models`, {
      headers: {
        accept: 'application/json',
        ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
      },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const unreachable = (problem: string, cause: unknown): SecpiError =>
      new SecpiError('ENDPOINT_UNREACHABLE', problem, { field: `${endpoint.field}.baseUrl`, cause });
    if (limit.aborted)
      throw unreachable(`nobody answers within ${endpoint.timeoutMs} ms (${endpoint.baseUrl}).`, error);
    const failure = toEndpointError(error, endpoint);
    throw failure.code === 'ENDPOINT_REFUSED' ? failure : unreachable(failure.problem, failure);
  } finally {
    await transport.close();
  }
}

function jsonOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
