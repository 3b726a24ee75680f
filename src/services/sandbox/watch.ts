/**
 * Limits that the kernel does not keep for an unprivileged user: memory and files of a whole process tree.
 * A few times a second one scan of /proc serves all sandboxes of this process. Between two scans a program can
 * overshoot; the limits of prlimit and of the sized mounts bound by how much.
 */
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxLimits, SandboxOutcome } from './types.ts';

const SCAN_EVERY_MS = 100;
/** A sandbox that may write to the host's disk is killed when less than this is free, whoever used it. */
export const DISK_RESERVE_BYTES = 512 * 1024 ** 2;
const SIZED_MOUNTS = ['tmp', 'dev/shm', 'work'];

export interface Watched {
  /** Host pid of bubblewrap. */
  readonly pid: number;
  readonly limits: SandboxLimits;
  /** Host folder bound writable at /work, if any. */
  readonly writableDir: string | null;
  readonly exceed: (outcome: SandboxOutcome) => void;
}

const watched = new Set<Watched>();
const walking = new WeakSet<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Watches until the returned function is called. */
export function watch(sandbox: Watched): () => void {
  watched.add(sandbox);
  timer ??= setInterval(scan, SCAN_EVERY_MS).unref();
  return () => {
    watched.delete(sandbox);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function scan(): void {
  const children = processTree();
  for (const sandbox of watched) {
    const tree = descendants(sandbox.pid, children);
    const privateBytes = tree.reduce((sum, pid) => sum + privateMemoryBytes(pid), 0);
    if (privateBytes > sandbox.limits.memoryBytes) sandbox.exceed('memoryLimit');
    if (countMountedFiles(tree) > sandbox.limits.tmpFiles) sandbox.exceed('diskLimit');
    const { writableDir } = sandbox;
    if (writableDir === null || walking.has(sandbox)) continue;
    walking.add(sandbox);
    walkWritable(sandbox, writableDir)
      .then((exceeded) => exceeded && sandbox.exceed('diskLimit'))
      // A folder that cannot be watched is not written to any longer.
      .catch(() => sandbox.exceed('diskLimit'))
      .finally(() => walking.delete(sandbox));
  }
}

async function walkWritable(sandbox: Watched, folder: string): Promise<boolean> {
  const { bytes, files } = await usage(folder, sandbox.limits);
  // Ended meanwhile: its folder may be gone.
  if (!watched.has(sandbox)) return false;
  const { tmpBytes, tmpFiles } = sandbox.limits;
  return bytes > tmpBytes || files > tmpFiles || freeBytes(folder) < DISK_RESERVE_BYTES;
}

/** Space that an unprivileged user may still take on the file system of `folder`. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Counts without following links and stops soon after a limit is passed. What vanishes meanwhile counts as nothing. */
async function usage(root: string, limits: SandboxLimits): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  const pending = [root];
  while (pending.length > 0 && files <= limits.tmpFiles && bytes <= limits.tmpBytes) {
    const folder = pending.pop() ?? root;
    try {
      for await (const entry of await opendir(folder)) {
        files += 1;
        const path = join(folder, entry.name);
        if (entry.isDirectory()) pending.push(path);
        else if (entry.isFile()) bytes += (await lstat(path)).blocks * 512;
        if (files > limits.tmpFiles) break;
      }
    } catch (error) {
      if (!isGone(error)) files = Number.POSITIVE_INFINITY;
    }
  }
  return { bytes, files };
}

/** Children by parent, of the whole machine: a daemon inside is adopted by the sandbox's init, so none is lost. */
function processTree(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent === null) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  return children;
}

/** Depth first, so the last one lies as deep inside as any. */
function descendants(root: number, children: ReadonlyMap<number, readonly number[]>): number[] {
  const found: number[] = [];
  const pending = [...(children.get(root) ?? [])];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    found.push(pid);
    pending.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** The name in /proc/PID/stat is the program's to choose, so fields are counted after its last parenthesis. */
function parentOf(pid: number): number | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Resident pages that are backed by no file: shared libraries would count once a process. Shared memory does. */
function privateMemoryBytes(pid: number): number {
  const status = readOrNull(`/proc/${pid}/status`) ?? '';
  const kibibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return (kibibytes('RssAnon') + kibibytes('RssShmem')) * 1024;
}

/**
 * The most files of any sized mount, seen through a process inside; an empty file takes no bytes of the size. The
 * deepest one that can be looked into serves: all share the mounts.
 */
function countMountedFiles(tree: readonly number[]): number {
  for (const pid of tree.toReversed()) {
    const counts = SIZED_MOUNTS.map((mount) => countFiles(`/proc/${pid}/root/${mount}`));
    const seen = counts.filter((count) => count !== null);
    if (seen.length > 0) return Math.max(...seen);
  }
  return 0;
}

/** Null where it cannot be seen. */
function countFiles(mount: string): number | null {
  try {
    const { type, files, ffree } = statfsSync(mount);
    return type === TMPFS_MAGIC ? files - ffree : 0;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

const TMPFS_MAGIC = 0x01021994;

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** A process or file that ended meanwhile, or one that is setting itself up and cannot be looked into yet. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR';
}
