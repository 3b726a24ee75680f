/** Free ports of 127.0.0.1. */
import { createServer } from 'node:net';
import { StackError } from './stackError.ts';

const TRIES = 100;

/** The first free port from `preferred` upwards that is not in `taken`. */
export async function freePort(preferred: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let port = preferred; port < preferred + TRIES; port += 1) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new StackError(
    `No port from ${preferred} to ${preferred + TRIES - 1} is free.`,
    'End what listens there.',
  );
}

/** Can this process listen there? */
export async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
