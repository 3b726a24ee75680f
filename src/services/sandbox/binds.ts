/**
 * Host folders and files that a slot uid cannot walk to, such as all below /root: as root they are bound to a place that it can
 * walk to, in a mount namespace that ends with the sandbox. (bubblewrap's own `--ro-bind-fd` resolves the path of the
 * descriptor as the slot, so it cannot show them.)
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import type { Bind } from './arguments.ts';
import type { SandboxRequest } from './types.ts';

/** Bit of /proc/PID/status' CapEff, of linux/capability.h. */
const CAP_SYS_ADMIN = 21n;

export interface BindPlan {
  readonly binds: readonly Bind[];
  /** Host folders to be bound at `stagePath` before bubblewrap starts. */
  readonly staged: readonly string[];
}

/** Where the `index`-th staged folder is bound, below `stageDir`. */
export function stagePath(stageDir: string, index: number): string {
  return join(stageDir, String(index));
}

/** `uid`: the slot that bubblewrap will run as; null for this process's own user. Throws SANDBOX_UNAVAILABLE. */
export async function planBinds(
  { workDir, workWritable, readOnly }: Pick<SandboxRequest, 'workDir' | 'workWritable' | 'readOnly'>,
  stageDir: string,
  uid: number | null,
): Promise<BindPlan> {
  const wanted: Bind[] = [
    ...(workDir === undefined ? [] : [{ source: workDir, inside: '/work', writable: workWritable === true }]),
    ...(readOnly ?? []).map(({ host, inside }) => ({ source: host, inside, writable: false })),
  ];
  if (uid === null) return { binds: wanted, staged: [] };
  const binds: Bind[] = [];
  const staged: string[] = [];
  for (const bind of wanted) {
    const closed = await closedFolderAbove(bind.source, uid);
    if (closed === null) {
      binds.push(bind);
      continue;
    }
    await requireMounts(bind.source, closed);
    binds.push({ ...bind, source: stagePath(stageDir, staged.length) });
    staged.push(bind.source);
  }
  return { binds, staged };
}

/** The nearest folder on the way that the slot may not enter; null where it may enter all that are there. */
async function closedFolderAbove(path: string, uid: number): Promise<string | null> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    // What is missing is bubblewrap's to tell.
    const info = await stat(folder).catch(() => null);
    if (info !== null && (info.mode & (info.uid === uid ? 0o100 : 0o001)) === 0) return folder;
    if (folder === dirname(folder)) return null;
  }
}

async function requireMounts(folder: string, closed: string): Promise<void> {
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(await readFile('/proc/self/status', 'latin1'))?.[1];
  if (((BigInt(`0x${capabilities ?? '0'}`) >> CAP_SYS_ADMIN) & 1n) === 1n) return;
  throw new SecpiError(
    'SANDBOX_UNAVAILABLE',
    `${folder} cannot be shown to a program: others may not enter ${closed}, and this process may not mount.`,
    { remedy: `Move the folder to one that all users can enter, or run \`chmod o+x ${closed}\`.` },
  );
}

/**
 * What runs bubblewrap as the slot `uid` behind the mounts: `unshare` makes the namespace, the shell mounts, `setpriv`
 * drops root for good, and all of them become bubblewrap by exec. The environment stays empty.
 */
export function stagedCommand(
  { staged, stageDir, uid }: { staged: readonly string[]; stageDir: string; uid: number },
  bubblewrap: readonly string[],
): string[] {
  const script = [
    'set -eu',
    'stage=$1 uid=$2 count=$3; shift 3',
    // Its own mount hides whatever is below the folder, and sized it cannot eat memory.
    'mount -t tmpfs -o size=64k,mode=0755 secpi "$stage"',
    'n=0',
    'while [ "$n" -lt "$count" ]; do',
    '  if [ -d "$1" ]; then mkdir "$stage/$n"; else : > "$stage/$n"; fi',
    '  mount --rbind -o ro "$1" "$stage/$n"; shift; n=$((n + 1))',
    'done',
    'exec setpriv --pdeathsig KILL --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs --inh-caps=-all env -i "$@"',
  ].join('\n');
  return [
    // Dies with this process at every stage, as bubblewrap does once it runs; a change of the uid forgets it.
    '/usr/bin/setpriv',
    '--pdeathsig',
    'KILL',
    '/usr/bin/unshare',
    '--mount',
    '/bin/sh',
    '-c',
    script,
    'sh',
    stageDir,
    String(uid),
    String(staged.length),
    ...staged,
    ...bubblewrap,
  ];
}
