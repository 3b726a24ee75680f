/**
 * Stands between one BaxBench process and the engine. It labels every container and image that the process makes, so
 * that all of them are found again whatever the process does; and when this process dies, the socket dies with it, so
 * an orphan can start nothing more. BaxBench itself stays unmodified.
 */
import {
  createServer,
  request,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../../contract/errors.ts';
import type { EngineAddress } from './engine.ts';

/** Processes of one app, its helpers included: a fork bomb ends in the container. */
const PIDS_LIMIT = 2048;
const DRAIN_MS = 15_000;
const MAX_CREATE_BYTES = 4 * 1024 * 1024;

const CREATE = /^(?:\/v[\d.]+)?\/containers\/create(?:\?|$)/;
const BUILD = /^(?:\/v[\d.]+)?\/build\?/;
const START = /^(?:\/v[\d.]+)?\/containers\/([^/?]+)\/start(?:\?|$)/;
const EXEC = /^(?:\/v[\d.]+)?\/containers\/([^/?]+)\/exec(?:\?|$)/;

export interface EngineProxyOptions {
  readonly engine: EngineAddress;
  /** Of the Unix socket to listen on, in a folder that only this user can enter. */
  readonly socketPath: string;
  readonly containerLabels: Readonly<Record<string, string>>;
  readonly imageLabels: Readonly<Record<string, string>>;
}

export interface EngineProxy {
  /** Containers in the order they were made. */
  readonly created: readonly string[];
  /** Containers in which a command was run: BaxBench does so once the app has answered. */
  readonly reached: ReadonlySet<string>;
  /** What the engine refused when a container was to be made or started. */
  readonly refusals: readonly string[];
  close(): Promise<void>;
}

const createdSchema = z.object({ Id: z.string() });
const createSchema = z.looseObject({
  Labels: z.record(z.string(), z.string()).nullish(),
  HostConfig: z.looseObject({ PidsLimit: z.number().nullish() }).nullish(),
});

export async function startEngineProxy(options: EngineProxyOptions): Promise<EngineProxy> {
  const created: string[] = [];
  const reached = new Set<string>();
  const refusals: string[] = [];
  const decisive = new Set<Promise<unknown>>();
  const sockets = new Set<Duplex>();
  const where = 'path' in options.engine ? { socketPath: options.engine.path } : options.engine;
  // Builds and tests take long; BaxBench's own limits and the wall limit end them.
  const server: Server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, (incoming, outgoing) => {
    const work = handle(incoming, outgoing).catch((error: unknown) => fail(outgoing, error));
    if (incoming.method !== 'POST' || BUILD.test(incoming.url ?? '')) return;
    decisive.add(work);
    void work.then(() => decisive.delete(work));
  });
  server.on('connection', (socket) => remember(socket));
  server.on('upgrade', (incoming, socket, head) => tunnel(incoming, socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.socketPath, resolve);
  });
  return {
    created,
    reached,
    refusals,
    close: async () => {
      server.close();
      // A container that is being made must be there before somebody looks what is to be removed.
      await Promise.race([Promise.all(decisive), delay(DRAIN_MS, undefined, { ref: false })]);
      for (const socket of sockets) socket.destroy();
    },
  };

  function remember(socket: Duplex): void {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    const isPost = incoming.method === 'POST';
    noteReached(incoming);
    if (isPost && CREATE.test(path)) {
      const body = Buffer.from(JSON.stringify(labelled(JSON.parse((await readAll(incoming)).toString()))));
      const answer = await forward(incoming, path, body);
      const text = await readAll(answer);
      if (answer.statusCode === 201) created.push(createdSchema.parse(JSON.parse(text.toString())).Id);
      else refuse('create', answer.statusCode, text);
      relayHead(answer, outgoing, text.length);
      outgoing.end(text);
    } else if (isPost && START.test(path)) {
      const answer = await forward(incoming, path, await readAll(incoming));
      const text = await readAll(answer);
      if ((answer.statusCode ?? 0) >= 400) refuse('start', answer.statusCode, text);
      relayHead(answer, outgoing, text.length);
      outgoing.end(text);
    } else {
      const answer = await forward(
        incoming,
        isPost && BUILD.test(path) ? labelledBuild(path) : path,
        incoming,
      );
      relayHead(answer, outgoing, null);
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    }
  }

  function forward(
    incoming: IncomingMessage,
    path: string,
    body: Buffer | IncomingMessage,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // An engine that hangs up after its answer can be quicker than the last, empty write of a request: EPIPE.
    const headers: OutgoingHttpHeaders = { ...incoming.headers, connection: 'keep-alive' };
    if (Buffer.isBuffer(body)) {
      delete headers['transfer-encoding'];
      headers['content-length'] = String(body.length);
    }
    const outgoing = request({ ...where, method: incoming.method, path, headers, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.on('socket', remember);
    if (Buffer.isBuffer(body)) outgoing.end(body);
    else body.pipe(outgoing);
    return promise;
  }

  /** A command's output comes over the bare connection, in both directions. */
  function tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    noteReached(incoming);
    const engine: Socket = connect(options.engine);
    remember(engine);
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2)
      lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}`);
    engine.write(`${lines.join('\r\n')}\r\n\r\n`);
    engine.write(head);
    engine.on('error', () => socket.destroy());
    socket.on('error', () => engine.destroy());
    engine.on('close', () => socket.destroy());
    socket.pipe(engine);
    engine.pipe(socket);
  }

  function noteReached({ method, url }: IncomingMessage): void {
    const id = method === 'POST' ? EXEC.exec(url ?? '')?.[1] : undefined;
    if (id !== undefined) reached.add(id);
  }

  function refuse(what: string, status: number | undefined, text: Buffer): void {
    refusals.push(`${what} answered ${status}: ${text.toString().trim().slice(0, 300)}`);
  }

  function labelled(body: unknown): unknown {
    const create = createSchema.parse(body);
    return {
      ...create,
      Labels: { ...create.Labels, ...options.containerLabels },
      HostConfig: { ...create.HostConfig, PidsLimit: create.HostConfig?.PidsLimit ?? PIDS_LIMIT },
    };
  }

  function labelledBuild(path: string): string {
    const url = new URL(path, 'http://engine');
    const given = z.record(z.string(), z.string()).parse(JSON.parse(url.searchParams.get('labels') ?? '{}'));
    url.searchParams.set('labels', JSON.stringify({ ...given, ...options.imageLabels }));
    return `${url.pathname}${url.search}`;
  }
}

function relayHead(answer: IncomingMessage, outgoing: ServerResponse, length: number | null): void {
  const headers = { ...answer.headers };
  delete headers.connection;
  delete headers['keep-alive'];
  if (length !== null) {
    delete headers['transfer-encoding'];
    headers['content-length'] = String(length);
  }
  outgoing.writeHead(answer.statusCode ?? 502, headers);
}

function fail(outgoing: ServerResponse, error: unknown): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(502, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ message: `The container engine cannot be reached: ${messageOf(error)}` }));
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const read: Buffer = chunk;
    bytes += read.length;
    if (bytes > MAX_CREATE_BYTES) throw new Error('The message is too long.');
    chunks.push(read);
  }
  return Buffer.concat(chunks);
}
