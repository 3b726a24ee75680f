/** The `openai` client for a provider's files and batches. */
import OpenAI from 'openai';

export interface BatchClientOptions {
  /** Root of the API, e.g. `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** Wall time of one request; an upload has at least ten minutes. */
  readonly timeoutMs: number;
}

const UPLOAD_LIMIT_MS = 10 * 60_000;

/**
 * Everything the client would read from the environment is set here: another account's key, organisation or base URL
 * must not slip in. It tries nothing again by itself, and follows no redirect, so that the key stays with its host.
 */
export function createBatchClient({ baseUrl, apiKey, timeoutMs }: BatchClientOptions): OpenAI {
  return new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: Math.max(timeoutMs, UPLOAD_LIMIT_MS),
    logLevel: 'off',
    fetchOptions: { redirect: 'manual' },
  });
}
