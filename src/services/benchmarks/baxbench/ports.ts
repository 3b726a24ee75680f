/**
 * Ports for the apps of one grading. BaxBench's own list is private to each of its processes, so ranges are dealt here,
 * exclusively over all processes of this machine: whoever listens on a range's first port owns the range, and the
 * system takes that back when the owner dies.
 */
import { createServer, type Server } from 'node:net';
import { SecpiError } from '../../../contract/errors.ts';

/** Ports that the apps of one grading may use; it uses one at a time, and a fresh one each while some linger. */
export const APP_PORTS = 8;
const RANGE = APP_PORTS + 1;
/** Below the ports that systems give to outgoing connections (from 32768). */
const FIRST_PORT = 20_000;
const RANGES = 1300;

export interface PortLease {
  /** The first of APP_PORTS ports. */
  readonly firstPort: number;
  release(): Promise<void>;
}

/** @throws SecpiError SANDBOX_UNAVAILABLE when every range is taken. */
export async function leasePorts(): Promise<PortLease> {
  // Each process starts elsewhere, so that a port is seldom used again soon after an app left connections on it.
  const start = (process.pid * 37 + leases++) % RANGES;
  for (let turn = 0; turn < RANGES; turn += 1) {
    const first = FIRST_PORT + ((start + turn) % RANGES) * RANGE;
    const guard = await listen(first, '127.0.0.1');
    if (guard === null) continue;
    if (await areFree(first + 1)) return { firstPort: first + 1, release: async () => await close(guard) };
    await close(guard);
  }
  throw new SecpiError('SANDBOX_UNAVAILABLE', 'No range of ports is free for the apps of BaxBench.', {
    remedy: `Free ports from ${FIRST_PORT} to ${FIRST_PORT + RANGES * RANGE - 1}, or grade less at a time.`,
  });
}

let leases = 0;

async function areFree(first: number): Promise<boolean> {
  for (let port = first; port < first + APP_PORTS; port += 1) {
    const server = await listen(port, '0.0.0.0');
    if (server === null) return false;
    await close(server);
  }
  return true;
}

/** Null when somebody else listens there. */
async function listen(port: number, host: string): Promise<Server | null> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<Server | null>();
  server.once('error', (error) => {
    if ('code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) resolve(null);
    else reject(error);
  });
  server.listen({ port, host, exclusive: true }, () => resolve(server));
  return await promise;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
