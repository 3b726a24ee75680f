/** Scratch folders: gone when the work is done, swept when a killed process left one behind. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const PREFIX = 'import-';
/** No import takes so long; a younger folder may belong to a living process. */
const STALE_AFTER_MS = 48 * 3_600_000;

export interface Scratch {
  readonly dir: string;
  remove(): Promise<void>;
}

/** A new, empty folder under `parent`. */
export async function openScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true });
  await sweep(parent);
  const dir = join(parent, `${PREFIX}${randomUUID()}`);
  await mkdir(dir);
  return { dir, remove: async () => await rm(dir, { recursive: true, force: true }) };
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > STALE_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
