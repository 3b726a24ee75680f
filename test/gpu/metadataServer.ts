/** A metadata service on a local port that a test writes the answers of; real HTTP, as the clouds serve it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

export interface MetadataServer {
  readonly url: string;
  /** `METHOD path`, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function startMetadataServer(
  answer: Answerer,
  tls?: { readonly key: string; readonly cert: string },
): Promise<MetadataServer> {
  const requests: string[] = [];
  const listener: Answerer = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const reply = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, headers).end(body);
};

/** EC2 with a token of version 2; `interruption` and `rebalance` are read at each request. */
export function ec2(state: { interruption: string | null; rebalance?: string | null }): Answerer {
  const TOKEN = 'AQAEAL-token==';
  return (request, response) => {
    if (request.url === '/latest/api/token') {
      if (request.method !== 'PUT' || request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined)
        return reply(response, 400, 'bad request');
      return reply(response, 200, TOKEN);
    }
    if (!request.url?.startsWith('/latest/meta-data/')) return reply(response, 404, 'not found');
    if (request.headers['x-aws-ec2-metadata-token'] !== TOKEN) return reply(response, 401, 'unauthorized');
    const values: Record<string, string | null | undefined> = {
      '/latest/meta-data/instance-id': 'i-0123456789abcdef0',
      '/latest/meta-data/spot/instance-action': state.interruption,
      '/latest/meta-data/events/recommendations/rebalance': state.rebalance,
    };
    const value = values[request.url];
    return value === null || value === undefined
      ? reply(response, 404, 'not found')
      : reply(response, 200, value);
  };
}

export const interruptionIn = (seconds: number, action = 'terminate'): string =>
  JSON.stringify({ action, time: `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z` });
