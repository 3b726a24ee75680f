/** One set-up at a time in a folder: a kernel lock that ends with its process, however that dies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram } from './commands.mjs';
import { SetupError } from './errors.mjs';

const NOTICE_AFTER_MS = 1500;

/**
 * Holds the lock while `work` runs. The lock belongs to a helper that ends when its standard input closes, which
 * happens when this process ends in any way.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {() => void} onWait called once when another set-up holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const flock = findProgram('flock');
  if (flock === undefined) {
    throw new SetupError('The program flock is missing.', 'Install util-linux: apt-get install util-linux');
  }
  const holder = spawn(flock, ['--exclusive', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Apart from the terminal's process group: Ctrl-C must not free the lock before this process is done.
    detached: true,
  });
  const waiting = setTimeout(onWait, NOTICE_AFTER_MS);
  const held = await Promise.race([
    once(holder.stdout, 'data').then(() => true),
    once(holder, 'exit').then(() => false),
  ]);
  clearTimeout(waiting);
  if (!held)
    throw new SetupError(
      `The lock ${path} cannot be taken.`,
      'Check that the folder is writable and on a local disk.',
    );
  const ended = once(holder, 'exit');
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
