/** Scratch folders: gone when the work is done, swept when a killed process left one behind. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatOwner, isLeftBehind, parseOwner, thisProcess } from '../processOwner.ts';

const NAME = /^import-(.+)-[0-9a-f]{8}$/u;
/** A folder of a process that cannot be seen from here is swept when no import can still be at work on it. */
const LEFT_BEHIND = { unseenDeadAfterMs: 48 * 3_600_000, ownCount: false } as const;

export interface Scratch {
  readonly dir: string;
  remove(): Promise<void>;
}

/** A new, empty folder under `parent`. */
export async function openScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const owner = parseOwner(NAME.exec(name)?.[1] ?? '');
    // What is not named after a process is not ours.
    if (owner !== null && (await isLeftBehind(path, owner, LEFT_BEHIND)))
      await rm(path, { recursive: true, force: true });
  }
  const dir = join(parent, `import-${formatOwner(thisProcess())}-${randomUUID().slice(0, 8)}`);
  await mkdir(dir);
  return { dir, remove: async () => await rm(dir, { recursive: true, force: true }) };
}
