/** A proxy between client and S3 server that plays the faults of a network: tests decide request by request. */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { TEST_CREDENTIALS } from './server.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * What becomes of a request: `pass`; `loseAnswer`: the server does it, the client's connection is cut before the
 * answer; `cutBody`: the connection is cut within the body of the answer; a number: answered with this status and
 * never sent on; `stripConditions`: sent on without If-Match and If-None-Match, signed anew;
 * `falseSuccess`: never sent on, and answered as a completed upload; `flipBody`: a bit of the request's body is
 * changed on the way; `hideChecksum`: the answer names no checksum, as of a store that knows none.
 */
export type Fate =
  | 'pass'
  | 'loseAnswer'
  | 'cutBody'
  | 'stripConditions'
  | 'falseSuccess'
  | 'flipBody'
  | 'hideChecksum'
  | number;

export interface FaultProxy {
  readonly endpoint: string;
  /** Decides the fate of the requests from now on. */
  decide(fate: (request: SeenRequest) => Fate): void;
  close(): Promise<void>;
}

const ERROR_NAMES: Readonly<Record<number, string>> = {
  400: 'InvalidPart',
  403: 'AccessDenied',
  409: 'ConditionalRequestConflict',
  500: 'InternalError',
  503: 'SlowDown',
};

export async function startProxy(targetPort: number): Promise<FaultProxy> {
  let fateOf: (request: SeenRequest) => Fate = () => 'pass';
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const fate = fateOf({ method, url, headers });
    if (typeof fate === 'number') {
      const error = `<Error><Code>${ERROR_NAMES[fate] ?? 'Error'}</Code><Message>injected</Message></Error>`;
      answer(incoming, outgoing, fate, error);
    } else if (fate === 'falseSuccess') {
      const result = '<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>';
      answer(incoming, outgoing, 200, result);
    } else {
      forward(incoming, outgoing, targetPort, fate);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    decide: (fate) => {
      fateOf = fate;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, status: number, xml: string): void {
  incoming.resume();
  incoming.on('end', () => {
    outgoing.writeHead(status, { 'content-type': 'application/xml' });
    outgoing.end(`<?xml version="1.0"?>${xml}`);
  });
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  fate: Exclude<Fate, number | 'falseSuccess'>,
): void {
  const headers = fate === 'stripConditions' ? withoutConditions(incoming) : incoming.headers;
  const upstream = sendRequest({
    host: '127.0.0.1',
    port,
    method: incoming.method,
    path: incoming.url,
    headers,
  });
  upstream.on('error', () => incoming.socket.destroy());
  upstream.on('response', (answer) => {
    if (fate === 'loseAnswer') {
      answer.resume();
      answer.on('end', () => incoming.socket.destroy());
      return;
    }
    outgoing.writeHead(
      answer.statusCode ?? 502,
      fate === 'hideChecksum' ? withoutChecksums(answer) : answer.headers,
    );
    if (fate === 'cutBody')
      answer.once('data', (first) => outgoing.write(first, () => incoming.socket.destroy()));
    else answer.pipe(outgoing);
  });
  if (fate === 'flipBody') incoming.pipe(bitFlipper()).pipe(upstream);
  else incoming.pipe(upstream);
}

function bitFlipper(): Transform {
  let isFlipped = false;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const bytes = Buffer.from(chunk);
      if (!isFlipped && bytes.length > 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
      isFlipped ||= bytes.length > 0;
      done(null, bytes);
    },
  });
}

function withoutChecksums({ headers }: IncomingMessage): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')));
}

/** The headers without their conditions, with an AWS Signature Version 4 over what is left. */
function withoutConditions(incoming: IncomingMessage): IncomingHttpHeaders {
  const { 'if-match': _, 'if-none-match': __, ...headers } = incoming.headers;
  const authorization = headers.authorization ?? '';
  const scope = /Credential=[^/]+\/([^,]+)/.exec(authorization)?.[1] ?? '';
  const signed = (/SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '')
    .split(';')
    .filter((name) => !name.startsWith('if-'));
  const url = new URL(incoming.url ?? '/', 'http://unused');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort();
  const canonical = [
    incoming.method,
    url.pathname,
    query.join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash].join('\n');
  const hmac = (key: string | Buffer, data: string): Buffer =>
    createHmac('sha256', key).update(data).digest();
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${TEST_CREDENTIALS.secretAccessKey}`);
  const credential = `${TEST_CREDENTIALS.accessKeyId}/${scope}`;
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${signature}`,
  };
}
