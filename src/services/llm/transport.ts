/**
 * A `fetch` over undici without its time limits: the runtime's own gives up on an answer whose headers take longer than
 * five minutes, which a long reasoning answer does. For the paths that are not hot; redirects are not followed, so that
 * a key never travels to another host.
 */
import { Agent } from 'undici';

/** An answer larger than this is cut off: no chat answer is, and memory must stay bounded. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

/** What every connection to an endpoint has in common; HTTP/1.1 only, as both paths must meet the same server alike. */
export const CONNECTION_OPTIONS = {
  pipelining: 1,
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxResponseSize: MAX_BODY_BYTES,
} as const;

/** Bodiless by the HTTP standard: `new Response` refuses a body for these. */
const BODILESS = new Set([204, 205, 304]);

export interface Transport {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  close(): Promise<void>;
}

/** Resolves when the whole body is there. Rejects with the socket's error (its `code` kept) or the signal's reason. */
export function createTransport(): Transport {
  const agent = new Agent(CONNECTION_OPTIONS);
  return {
    fetch: async (input, init = {}) => {
      const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input);
      const { statusCode, headers, body } = await agent.request({
        origin,
        path: `${pathname}${search}`,
        method: init.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        body: typeof init.body === 'string' ? init.body : null,
        signal: init.signal ?? null,
      });
      const bytes = await body.arrayBuffer();
      return new Response(BODILESS.has(statusCode) ? null : bytes, {
        status: statusCode,
        headers: headersOf(headers),
      });
    },
    close: async () => await agent.destroy(),
  };
}

function headersOf(incoming: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming)) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) headers.append(name, item);
  }
  return headers;
}
