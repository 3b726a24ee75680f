/** Scratch folders: gone when the work is done, swept when a killed process left one behind. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatOwner, parseOwner, stateOf, thisProcess } from '../processOwner.ts';

const NAME = /^import-(.+)-[0-9a-f]{8}$/u;
/** A folder of a process that cannot be seen from here is swept when no import can still be at work on it. */
const STALE_AFTER_MS = 48 * 3_600_000;

export interface Scratch {
  readonly dir: string;
  remove(): Promise<void>;
}

/** A new, empty folder under `parent`. */
export async function openScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (await isLeftBehind(path, NAME.exec(name)?.[1])) await rm(path, { recursive: true, force: true });
  }
  const dir = join(parent, `import-${formatOwner(thisProcess())}-${randomUUID().slice(0, 8)}`);
  await mkdir(dir);
  return { dir, remove: async () => await rm(dir, { recursive: true, force: true }) };
}

async function isLeftBehind(path: string, ownerText: string | undefined): Promise<boolean> {
  const owner = ownerText === undefined ? null : parseOwner(ownerText);
  if (owner === null) return false;
  const state = await stateOf(owner);
  if (state !== 'unknown') return state === 'dead';
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
  return Date.now() - mtimeMs > STALE_AFTER_MS;
}
