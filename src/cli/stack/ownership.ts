/**
 * One owner of a state folder at a time. A kernel lock, held by a helper that ends with this process however that
 * dies, so a stale lock cannot exist and two starters cannot both win.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StackError } from './stackError.ts';

const TAKEN = 9;

export interface Ownership {
  release(): Promise<void>;
}

/** Null when another process holds the folder. */
export async function takeOwnership(lockPath: string): Promise<Ownership | null> {
  await mkdir(dirname(lockPath), { recursive: true });
  const holder = spawn(
    'flock',
    [
      '--exclusive',
      '--nonblock',
      '--conflict-exit-code',
      String(TAKEN),
      lockPath,
      'sh',
      '-c',
      'echo held; exec cat',
    ],
    // A session of its own: Ctrl-C on the terminal must not free the lock before the stack is down.
    { stdio: ['pipe', 'pipe', 'ignore'], detached: true },
  );
  const exit = once(holder, 'exit').catch((cause: unknown) => {
    throw new StackError('The program flock is missing.', 'Install util-linux: apt-get install util-linux', {
      cause,
    });
  });
  const first = await Promise.race([once(holder.stdout, 'data').then(() => 'held' as const), exit]);
  if (first !== 'held') {
    if (first[0] === TAKEN) return null;
    throw new StackError(
      `The lock ${lockPath} cannot be taken.`,
      'Check that the folder is writable and on a local disk.',
    );
  }
  // Neither the helper nor its pipes keep this process alive.
  holder.unref();
  return {
    async release() {
      holder.ref();
      holder.stdin.end();
      await exit;
    },
  };
}
