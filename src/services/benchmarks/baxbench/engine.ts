/** A Docker-compatible engine over its HTTP API: asked what runs, and made to remove what a run left. */
import { request } from 'node:http';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';

/** Where the engine listens, as node:net takes it. */
export type EngineAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export interface EngineContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdMs: number;
}
export type EngineImage = EngineContainer;

export const QUICK_MS = 10_000;
/** Lists are slow while images are built. */
const LIST_MS = 60_000;
/** Removing kills first, and an engine that builds images at the same time is slow. */
const REMOVE_MS = 120_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const labels = z.record(z.string(), z.string()).nullish();
const listed = z.array(z.object({ Id: z.string(), Labels: labels, Created: z.number() }));
const stateSchema = z.object({
  State: z.object({ Running: z.boolean(), Status: z.string().optional(), ExitCode: z.number().optional() }),
});

export class Engine {
  readonly address: EngineAddress;
  /** e.g. "Podman Engine 4.3.1". */
  readonly description: string;

  constructor(address: EngineAddress, description: string) {
    this.address = address;
    this.description = description;
  }

  async containers(label: string): Promise<EngineContainer[]> {
    return await this.#list(`/containers/json?all=1&${filterBy(label)}`);
  }

  async images(label: string): Promise<EngineImage[]> {
    return await this.#list(`/images/json?${filterBy(label)}`);
  }

  /** Kills it when it runs. One that is gone already is fine. */
  async removeContainer(id: string): Promise<void> {
    await this.#remove(`/containers/${encodeURIComponent(id)}?force=1&v=1`);
  }

  /** Also removes its layers that no other image shares. */
  async removeImage(id: string): Promise<void> {
    await this.#remove(`/images/${encodeURIComponent(id)}?force=1`);
  }

  /** Exit code of a container that has ended by itself; null while it runs, was never started, or is gone. */
  async exitCodeOf(id: string): Promise<number | null> {
    const { status, body } = await call(
      this.address,
      'GET',
      `/containers/${encodeURIComponent(id)}/json`,
      QUICK_MS,
    );
    if (status === 404) return null;
    const { State: state } = stateSchema.parse(expectOk(status, body));
    return state.Running || state.Status !== 'exited' ? null : (state.ExitCode ?? 0);
  }

  /** The end of what the app printed. */
  async logsOf(id: string, lines: number): Promise<string> {
    const path = `/containers/${encodeURIComponent(id)}/logs?stdout=1&stderr=1&tail=${lines}`;
    const { status, body } = await this.#ask('GET', path, QUICK_MS);
    return status === 200 ? textOfFrames(body) : '';
  }

  async #list(path: string): Promise<EngineContainer[]> {
    const { status, body } = await this.#ask('GET', path, LIST_MS);
    return listed
      .parse(expectOk(status, body))
      .map(({ Id, Labels, Created }) => ({ id: Id, labels: Labels ?? {}, createdMs: Created * 1000 }));
  }

  async #remove(path: string): Promise<void> {
    const { status, body } = await this.#ask('DELETE', path, REMOVE_MS);
    if (status >= 400 && status !== 404) throw unavailable(answered(status, body));
  }

  async #ask(method: string, path: string, timeoutMs: number): Promise<{ status: number; body: Buffer }> {
    try {
      return await call(this.address, method, path, timeoutMs);
    } catch (error) {
      throw unavailable(messageOf(error), error);
    }
  }
}

function filterBy(label: string): string {
  return `filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;
}

export function expectOk(status: number, body: Buffer): unknown {
  if (status !== 200) throw unavailable(answered(status, body));
  return JSON.parse(body.toString());
}

function answered(status: number, body: Buffer): string {
  return `it answered ${status}: ${body.toString().slice(0, 300)}`;
}

function unavailable(problem: string, cause?: unknown): SecpiError {
  return new SecpiError(
    'SANDBOX_UNAVAILABLE',
    `The container engine does not do what it should: ${problem}`,
    {
      remedy:
        'Run `npx secpi doctor baxbench`; look at the engine (`docker ps -a`, `podman ps -a`). What is left is removed when a worker starts again.',
      cause,
    },
  );
}

export async function call(
  address: EngineAddress,
  method: string,
  path: string,
  timeoutMs: number,
): Promise<{ status: number; body: Buffer }> {
  const where = 'path' in address ? { socketPath: address.path } : address;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>();
  const outgoing = request(
    {
      ...where,
      method,
      path,
      agent: false,
      headers: { host: 'engine' },
      signal: AbortSignal.timeout(timeoutMs),
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          incoming.destroy(new Error('The container engine answers without end.'));
        else chunks.push(chunk);
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }));
      incoming.on('error', reject);
    },
  );
  outgoing.on('error', reject);
  outgoing.end();
  return await promise;
}

/** Output of a container without a terminal comes in frames of eight bytes of header and their text. */
function textOfFrames(body: Buffer): string {
  const texts: Buffer[] = [];
  for (let at = 0; at + 8 <= body.length;) {
    const length = body.readUInt32BE(at + 4);
    texts.push(body.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(texts).toString();
}
