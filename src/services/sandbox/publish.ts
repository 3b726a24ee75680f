/** Folders that are complete or absent: filled beside their place, then renamed. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** By target: callers in this process wait for the one that fills it. */
const underWay = new Map<string, Promise<boolean>>();

/**
 * Makes `target` by `fill` unless it exists, readable by every user and writable by its owner alone. Safe when
 * several processes do it at once: the first rename wins, and `target`'s name must tell its content.
 * Returns whether this call made it.
 */
export async function publishFolder(
  target: string,
  fill: (folder: string) => Promise<void>,
): Promise<boolean> {
  const earlier = underWay.get(target);
  if (earlier !== undefined) {
    await earlier;
    return false;
  }
  const publishing = publish(target, fill).finally(() => underWay.delete(target));
  underWay.set(target, publishing);
  return await publishing;
}

async function publish(target: string, fill: (folder: string) => Promise<void>): Promise<boolean> {
  if (await exists(target)) return false;
  await openFolder(dirname(target));
  const draft = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    await fill(draft);
    await execute('chmod', ['-R', 'a+rX,go-w', draft]);
    await rename(draft, target);
    return true;
  } catch (error) {
    if (isOccupied(error)) return false;
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Makes a folder that others may enter, whatever this process's umask; one that exists keeps its mode. */
export async function openFolder(path: string, mode = 0o755): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, mode);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function isOccupied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
}
