/**
 * A reverse proxy in front of the S3 server that lets a scenario act at exact moments of a request: before the server
 * has any of it, while its body is under way, after the server has answered. The Host header stays as the client
 * signed it (AWS Signature Version 4 covers it).
 */
import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';

export interface TapRequest {
  readonly method: string;
  /** Of the object, decoded; without the bucket. Empty for the bucket itself. */
  readonly key: string;
  /** Parts of a multipart upload and listings are told by it. */
  readonly query: URLSearchParams;
}

export type TapMatch = (request: TapRequest) => boolean;

export interface Sprung extends TapRequest {
  /** Of the server's answer; null before there is one. */
  readonly status: number | null;
}

/** What becomes of the request after the action: it goes on (the default), or its connection is cut. */
export type TapAction = (request: Sprung) => Promise<'cut' | void>;

/** One moment that is waited for; it comes at most once. */
export interface Armed {
  /** The request, once the action has run; rejects with the action's error. */
  readonly done: Promise<Sprung>;
  disarm(): void;
}

/**
 * `before`: nothing of the request has reached the server. `during`: the server has the first bytes of its body.
 * `after`: the server has done it, the client has no answer yet.
 */
export type Moment = 'before' | 'during' | 'after';

export interface S3Tap {
  readonly endpoint: string;
  /** Every request so far, in the order of their arrival. */
  readonly seen: readonly TapRequest[];
  /** Runs the action at that moment of the next request that matches, which is held meanwhile; others go on. */
  on(moment: Moment, match: TapMatch, action: TapAction): Armed;
  close(): Promise<void>;
}

interface Trap {
  readonly moment: Moment;
  readonly match: TapMatch;
  spring(request: Sprung): Promise<'cut' | void>;
}

export async function startS3Tap(targetPort: number): Promise<S3Tap> {
  const traps = new Set<Trap>();
  const seen: TapRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const request = describe(incoming);
    seen.push(request);
    const at = async (moment: Moment, status: number | null = null): Promise<boolean> => {
      const trap = [...traps].find((one) => one.moment === moment && one.match(request));
      if (trap === undefined) return true;
      traps.delete(trap);
      return (await trap.spring({ ...request, status })) !== 'cut';
    };
    // A connection that broke, on purpose or with its client, ends both sides; the client of the test sees it.
    const { socket } = incoming;
    forward(incoming, outgoing, targetPort, at).catch(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  // Held requests must not time out under the scenario.
  server.requestTimeout = 0;
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    seen,
    on(moment, match, action) {
      const { promise: done, resolve, reject } = Promise.withResolvers<Sprung>();
      // Whoever arms awaits `done`, perhaps later than the action fails.
      done.catch(() => undefined);
      const trap: Trap = {
        moment,
        match,
        spring: async (request) => {
          try {
            const fate = await action(request);
            resolve(request);
            return fate;
          } catch (error) {
            reject(error);
            return 'cut';
          }
        },
      };
      traps.add(trap);
      return { done, disarm: () => void traps.delete(trap) };
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function describe({ method = '', url = '/' }: IncomingMessage): TapRequest {
  const { pathname, searchParams } = new URL(url, 'http://unused');
  const [, , ...key] = pathname.split('/');
  return { method, key: decodeURIComponent(key.join('/')), query: searchParams };
}

/** Stops with the connection cut where `at` says false. */
async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  at: (moment: Moment, status?: number | null) => Promise<boolean>,
): Promise<void> {
  const { socket } = incoming;
  const cut = (): void => void socket.destroy();
  if (!(await at('before'))) return cut();
  const { method, url: path, headers } = incoming;
  const upstream = sendRequest({ host: '127.0.0.1', port, method, path, headers });
  const answered = once(upstream, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined);
  upstream.on('error', cut);
  try {
    let isFirst = true;
    for await (const chunk of incoming) {
      if (!upstream.write(chunk)) await Promise.race([once(upstream, 'drain'), answered]);
      if (isFirst && !(await at('during'))) return cut();
      isFirst = false;
    }
    upstream.end();
    const [answer] = await answered;
    if (!(await at('after', answer.statusCode ?? null))) return cut();
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    await finished(answer);
  } finally {
    // A client that vanished within its body leaves the server with a torn request, as it would without a proxy.
    upstream.destroy();
  }
}

/** Requests that a training makes of the store. */
export const tapped = {
  /** A blob, or a part of one. */
  blobPut: ({ method, key }: TapRequest): boolean => method === 'PUT' && key.startsWith('blobs/'),
  /** The manifest of a checkpoint of at least this step. */
  manifestPut:
    (fromStep: number): TapMatch =>
    ({ method, key }) =>
      method === 'PUT' && stepOf(key) >= fromStep,
  /** A publication: the head of the training changes. */
  headPut: ({ method, key }: TapRequest): boolean =>
    method === 'PUT' && /^trainings\/[0-9a-f]{64}\/head\.json$/.test(key),
} as const;

/** -1 for a key that is no manifest of a checkpoint. */
export function stepOf(key: string): number {
  return Number(/^trainings\/[0-9a-f]{64}\/step-(\d+)-e\d+\.json$/.exec(key)?.[1] ?? -1);
}
