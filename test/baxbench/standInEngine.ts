/**
 * A container engine's HTTP API over a Unix socket, as far as BaxBench and we use it. Its containers hold the ports
 * they publish for real; what was removed is recorded. It runs nothing: what an app does is named by its environment.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createPort, type Server as PortServer } from 'node:net';
import { z } from 'zod';

const createSchema = z.looseObject({
  Image: z.string(),
  Env: z.array(z.string()).default([]),
  Labels: z.record(z.string(), z.string()).default({}),
  HostConfig: z.looseObject({
    PidsLimit: z.number().optional(),
    PortBindings: z.record(z.string(), z.array(z.object({ HostPort: z.string() }))).default({}),
  }),
});

export interface StandInContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pidsLimit: number | undefined;
  readonly env: readonly string[];
  readonly port: number;
  readonly createdMs: number;
  exitCode: number | null;
  holder: PortServer | null;
}

export interface StandInImage {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdMs: number;
}

export class StandInEngine {
  readonly containers = new Map<string, StandInContainer>();
  readonly images = new Map<string, StandInImage>();
  /** Ports that were ever published, in order. */
  readonly ports: number[] = [];
  readonly removedContainers: string[] = [];
  readonly removedImages: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch((error: unknown) =>
        send(outgoing, 500, { message: String(error) }),
      );
    });
    this.#server.on('upgrade', (_, socket) => {
      // What the client still sends is read, or the connection would never count as closed.
      socket.resume();
      socket.end('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nps output');
    });
  }

  async listen(socketPath: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(socketPath, resolve);
    });
  }

  async close(): Promise<void> {
    for (const { holder } of this.containers.values()) holder?.close();
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://engine');
    const path = url.pathname.replace(/^\/v[\d.]+/, '');
    const body = await readAll(incoming);
    const [, kind = '', id = '', action = ''] = path.split('/');
    const route = `${incoming.method} ${['containers', 'images', 'exec'].includes(kind) ? kind : path}/${action}`;
    if (path === '/_ping') send(outgoing, 200, 'OK');
    else if (path === '/version')
      send(outgoing, 200, { Version: '1.0', Components: [{ Name: 'Stand-in Engine' }] });
    else if (path === '/build') this.#build(url, body, outgoing);
    else if (path === '/containers/json') send(outgoing, 200, labelled(this.containers.values(), url));
    else if (path === '/images/json') send(outgoing, 200, labelled(this.images.values(), url));
    else if (path === '/containers/create') this.#create(url, body, outgoing);
    else if (route === 'POST containers/start') await this.#start(id, outgoing);
    else if (route === 'GET containers/json') this.#inspect(id, outgoing);
    else if (route === 'GET containers/logs') outgoing.end(frame('ModuleNotFoundError: no such thing\n'));
    else if (route === 'POST containers/exec') send(outgoing, 201, { Id: randomBytes(8).toString('hex') });
    else if (route === 'DELETE containers/') await this.#removeContainer(id, outgoing);
    else if (route === 'DELETE images/') this.#removeImage(id, outgoing);
    else send(outgoing, 404, { message: `${incoming.method} ${path} is not known` });
  }

  #build(url: URL, body: Buffer, outgoing: ServerResponse): void {
    if (body.includes('behaviour: buildFails')) {
      send(outgoing, 200, { errorDetail: { message: 'pip install failed' } });
      return;
    }
    const id = `sha256:${randomBytes(16).toString('hex')}`;
    const labels = z.record(z.string(), z.string()).parse(JSON.parse(url.searchParams.get('labels') ?? '{}'));
    this.images.set(id, { id, labels, createdMs: Date.now() });
    send(outgoing, 200, { aux: { ID: id } });
  }

  #create(url: URL, body: Buffer, outgoing: ServerResponse): void {
    const { Labels: labels, Env: env, HostConfig: host } = createSchema.parse(JSON.parse(body.toString()));
    const port = Number(Object.values(host.PortBindings)[0]?.[0]?.HostPort);
    const id = randomBytes(16).toString('hex');
    const name = url.searchParams.get('name') ?? '';
    const pidsLimit = host.PidsLimit;
    this.containers.set(id, {
      id,
      name,
      labels,
      pidsLimit,
      env,
      port,
      createdMs: Date.now(),
      exitCode: null,
      holder: null,
    });
    send(outgoing, 201, { Id: id });
  }

  async #start(id: string, outgoing: ServerResponse): Promise<void> {
    const container = this.containers.get(id);
    if (container === undefined) return send(outgoing, 404, { message: 'no such container' });
    if (container.env.includes('BEHAVIOUR=neverStarts')) {
      container.exitCode = 3;
      return send(outgoing, 204, '');
    }
    container.holder = await hold(container.port);
    if (container.holder === null || container.env.includes('BEHAVIOUR=refused'))
      return send(outgoing, 500, {
        message: `Bind for 0.0.0.0:${container.port} failed: port is already allocated`,
      });
    this.ports.push(container.port);
    send(outgoing, 204, '');
  }

  #inspect(id: string, outgoing: ServerResponse): void {
    const container = this.containers.get(id);
    if (container === undefined) return send(outgoing, 404, { message: 'no such container' });
    const { exitCode } = container;
    send(outgoing, 200, {
      State: {
        Running: exitCode === null,
        Status: exitCode === null ? 'running' : 'exited',
        ExitCode: exitCode ?? 0,
      },
    });
  }

  async #removeContainer(id: string, outgoing: ServerResponse): Promise<void> {
    const container = this.containers.get(id);
    if (container === undefined) return send(outgoing, 404, { message: 'no such container' });
    const { holder } = container;
    if (holder !== null)
      await new Promise<void>((resolve) => {
        holder.close(() => resolve());
      });
    this.containers.delete(id);
    this.removedContainers.push(id);
    send(outgoing, 204, '');
  }

  #removeImage(id: string, outgoing: ServerResponse): void {
    const known = this.images.delete(decodeURIComponent(id));
    if (known) this.removedImages.push(decodeURIComponent(id));
    send(outgoing, known ? 200 : 404, []);
  }
}

function labelled(things: Iterable<StandInContainer | StandInImage>, url: URL): unknown[] {
  const { label } = z
    .object({ label: z.array(z.string()) })
    .parse(JSON.parse(url.searchParams.get('filters') ?? '{"label":[]}'));
  return [...things]
    .filter(({ labels }) =>
      label.every((wanted) => {
        const [name = '', value] = wanted.split('=');
        return value === undefined ? labels[name] !== undefined : labels[name] === value;
      }),
    )
    .map(({ id, labels, createdMs }) => ({ Id: id, Labels: labels, Created: Math.floor(createdMs / 1000) }));
}

async function hold(port: number): Promise<PortServer | null> {
  const server = createPort();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(port, '0.0.0.0', () => resolve(server));
  });
}

function frame(text: string): Buffer {
  const header = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

function send(outgoing: ServerResponse, status: number, body: unknown): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' });
  outgoing.end(status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
