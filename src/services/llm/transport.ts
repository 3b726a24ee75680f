/**
 * A `fetch` for the OpenAI client over node:http. The runtime's own fetch gives up on an answer whose headers take
 * longer than five minutes, which a long reasoning answer does; it also costs twice the CPU a row. Redirects are not
 * followed, so that a key never travels to another host.
 */
import http from 'node:http';
import https from 'node:https';

/** An answer larger than this is cut off: no chat answer is, and memory must stay bounded. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Bodiless by the HTTP standard: `new Response` refuses a body for these. */
const BODILESS = new Set([204, 205, 304]);

export interface Transport {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Closes idle connections. */
  close(): void;
}

/** Resolves when the whole body is there. Rejects with the socket's error (its `code` kept) or the signal's reason. */
export function createTransport(): Transport {
  const agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  };
  return {
    fetch: (input, init) => send(agents, new URL(input instanceof Request ? input.url : input), init ?? {}),
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

function send(
  agents: { 'http:': http.Agent; 'https:': https.Agent },
  url: URL,
  init: RequestInit,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const secure = url.protocol === 'https:';
  const options: http.RequestOptions = {
    method: init.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(init.signal ? { signal: init.signal } : {}),
  };
  const request = secure
    ? https.request(url, { ...options, agent: agents['https:'] })
    : http.request(url, { ...options, agent: agents['http:'] });
  request.on('error', reject);
  request.on('response', (incoming) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        incoming.destroy(
          Object.assign(new Error(`the answer is larger than ${MAX_BODY_BYTES} bytes`), {
            code: 'ERR_BODY_TOO_LARGE',
          }),
        );
        return;
      }
      chunks.push(chunk);
    });
    incoming.on('error', reject);
    incoming.on('end', () => resolve(toResponse(incoming, Buffer.concat(chunks))));
  });
  request.end(typeof init.body === 'string' ? init.body : undefined);
  return promise;
}

function toResponse(incoming: http.IncomingMessage, body: Buffer): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) headers.append(name, item);
  }
  const status = incoming.statusCode ?? 502;
  return new Response(BODILESS.has(status) ? null : new Uint8Array(body), { status, headers });
}
