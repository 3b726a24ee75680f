/** The private folder of one run, its name telling the owner, so that what a killed worker left is found and ended. */
import { chmod, mkdtemp, open, readdir, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { killGroup } from '../../processGroup.ts';
import {
  formatOwner,
  ifPresent,
  isLeftBehind,
  ownerOf,
  parseOwner,
  stateOf,
  thisProcess,
} from '../../processOwner.ts';

const PREFIX = 'secpi-bax-';
/** Names the BaxBench process that runs in it. */
const CHILD_FILE = 'child';
const UNSEEN_DEAD_AFTER_MS = 24 * 60 * 60_000;

/** Below `root`, which must be short: a socket lies in it, and its path may have 107 bytes. */
export async function makeRunFolder(root: string): Promise<string> {
  const folder = await mkdtemp(join(root, `${PREFIX}${formatOwner(thisProcess())}.`));
  await chmod(folder, 0o700);
  return folder;
}

export async function nameChild(folder: string, pid: number): Promise<void> {
  await writeFile(join(folder, CHILD_FILE), formatOwner(ownerOf(pid)));
}

/** Ends the processes and removes the folders of runs whose worker is gone; the number of folders. */
export async function reapRunFolders(root: string): Promise<number> {
  let reaped = 0;
  for (const name of await readdir(root)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(root, name);
    const owner = parseOwner(name.slice(PREFIX.length, name.lastIndexOf('.')));
    const rules = { unseenDeadAfterMs: UNSEEN_DEAD_AFTER_MS, ownCount: false };
    if (!(await isLeftBehind(folder, owner, rules))) continue;
    const child = parseOwner((await ifPresent(readFile(join(folder, CHILD_FILE), 'utf8'))) ?? '');
    if (child !== null && (await stateOf(child)) === 'alive') killGroup(child.pid);
    await rm(folder, { recursive: true, force: true });
    reaped += 1;
  }
  return reaped;
}

/** The last `bytes` of a file; empty when it is not there. */
export async function readEnd(path: string, bytes: number): Promise<string> {
  const file: FileHandle | null = await ifPresent(open(path, 'r'));
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}
