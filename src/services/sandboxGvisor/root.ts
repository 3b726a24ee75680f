/** The root folder that a gVisor kernel starts with: links such as /bin, and an empty place for each mount. */
import { lstat, mkdir, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mountsOf, type GvisorPlan } from './bundle.ts';

const ROOT_ENTRIES = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'];
/** A folder this old whose process is gone was left by a kill. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

export interface RootLinks {
  readonly links: readonly { readonly target: string; readonly path: string }[];
  readonly folders: readonly string[];
}

/** What of this machine's root is a link into /usr, and what a folder of its own. */
export async function readRoot(): Promise<RootLinks> {
  const links: { target: string; path: string }[] = [];
  const folders: string[] = [];
  for (const path of ROOT_ENTRIES) {
    const info = await lstat(path).catch(() => null);
    if (info?.isSymbolicLink() === true) links.push({ target: await readlink(path), path });
    else if (info?.isDirectory() === true) folders.push(path);
  }
  return { links, folders };
}

/** An empty place for each mount: gVisor may make none on a root that it cannot write. */
export async function layRoot(plan: GvisorPlan, { links }: RootLinks): Promise<void> {
  const { rootfs } = plan;
  await mkdir(rootfs);
  for (const { target, path } of links) await symlink(target, join(rootfs, path));
  for (const folder of ['/dev', '/sys']) await mkdir(join(rootfs, folder));
  for (const { destination, type, source } of mountsOf(plan)) {
    const place = join(rootfs, destination);
    // One that is gone is runsc's to tell.
    const isFile = type === 'bind' && ((await stat(source).catch(() => null))?.isFile() ?? false);
    await mkdir(isFile ? dirname(place) : place, { recursive: true });
    if (isFile) await writeFile(place, '');
  }
}

/** Removes the run folders, named by pid, of workers that were killed. */
export async function sweepRuns(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    const path = join(runs, name);
    // Another worker may have removed its own meanwhile.
    const info = await stat(path).catch(() => null);
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
