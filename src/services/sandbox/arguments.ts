/** The command line of bubblewrap: pure, so that each trap of DESIGN.md can be read and tested here. */
import type { SandboxLimits, SandboxRequest } from './types.ts';

/** Descriptors that the launcher hands to bubblewrap. */
export const SECCOMP_FD = 3;
export const ARGUMENTS_FD = 4;
export const STATUS_FD = 5;

/** What of the host's root is a link into /usr on a merged system, or a real folder on an older one. */
export interface HostRoot {
  readonly links: readonly { readonly target: string; readonly path: string }[];
  readonly folders: readonly string[];
}

export interface LaunchPlan {
  readonly request: SandboxRequest;
  readonly limits: SandboxLimits;
  readonly hostRoot: HostRoot;
  /** Host folder with passwd, group and hosts, bound at /etc. */
  readonly etcDir: string;
  readonly prlimitPath: string;
}

/** Inside, on top of the caller's variables. */
const BASE_ENV = { PATH: '/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp', LANG: 'C.UTF-8' };

/**
 * The options as bubblewrap's `--args FD` reads them. They go through a descriptor since its process 1 shows
 * its command line to the program inside.
 */
export function bubblewrapOptions({ request, limits, hostRoot, etcDir }: LaunchPlan): string[] {
  const sized = (path: string) => ['--size', String(limits.tmpBytes), '--perms', '0777', '--tmpfs', path];
  const env = { ...BASE_ENV, ...request.env };
  return [
    ['--unshare-all', '--unshare-user', '--disable-userns'],
    ['--uid', '65534', '--gid', '65534', '--hostname', 'sandbox', '--cap-drop', 'ALL'],
    ['--die-with-parent', '--new-session'],
    ['--seccomp', String(SECCOMP_FD), '--json-status-fd', String(STATUS_FD)],
    ['--ro-bind', '/usr', '/usr'],
    hostRoot.links.flatMap(({ target, path }) => ['--symlink', target, path]),
    hostRoot.folders.flatMap((path) => ['--ro-bind', path, path]),
    ['--ro-bind', etcDir, '/etc'],
    ['--proc', '/proc', '--dev', '/dev'],
    sized('/dev/shm'),
    sized('/tmp'),
    request.workDir === undefined
      ? sized('/work')
      : [request.workWritable === true ? '--bind' : '--ro-bind', request.workDir, '/work'],
    (request.readOnly ?? []).flatMap(({ host, inside }) => ['--ro-bind', host, inside]),
    // The tmpfs of / and /dev has no size, so nothing may be written there; /proc for core_pattern and its like.
    ['--remount-ro', '/proc', '--remount-ro', '/dev', '--remount-ro', '/'],
    ['--chdir', '/work'],
    Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
  ].flat();
}

/**
 * The command inside, behind `prlimit`: limits set outside would count the processes of the whole uid.
 * One process is bubblewrap's own init.
 */
export function limitedCommand({ request, limits, prlimitPath }: LaunchPlan): string[] {
  return [
    prlimitPath,
    `--cpu=${limits.cpuSeconds}`,
    `--as=${limits.addressSpaceBytes}`,
    `--nproc=${limits.processes + 1}`,
    `--fsize=${limits.fileBytes}`,
    `--nofile=${limits.openFiles}`,
    '--core=0',
    '--memlock=65536',
    '--msgqueue=0',
    '--',
    ...request.command,
  ];
}

/** `--args` reads strings that end in a zero byte. */
export function encodeArguments(options: readonly string[]): Buffer {
  return Buffer.from(options.map((option) => `${option}\0`).join(''), 'utf8');
}
