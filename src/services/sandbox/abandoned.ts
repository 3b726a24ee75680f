/** Folders of runs, named `<pid>-…`, that workers left when they were killed. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifPresent } from '../processOwner.ts';

/** A younger one may be of a worker in another PID namespace, which cannot be seen from here. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

export async function sweepAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const path = join(root, name);
    // Its worker may remove it meanwhile.
    const info = await ifPresent(stat(path));
    if (info === null || Date.now() - info.mtimeMs < ABANDONED_AFTER_MS) continue;
    if (!isRunning(Number(name.split('-')[0]))) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
