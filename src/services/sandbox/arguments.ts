/** The command line of bubblewrap: pure, so that each trap of DESIGN.md can be read and tested here. */
import type { HostRoot } from './hostRoot.ts';
import type { SandboxLimits, SandboxRequest } from './types.ts';

/** Descriptors that the launcher hands to bubblewrap. */
export const SECCOMP_FD = 3;
export const ARGUMENTS_FD = 4;
export const STATUS_FD = 5;

export interface Bind {
  /** As bubblewrap sees it. */
  readonly source: string;
  readonly inside: string;
  readonly writable: boolean;
}

export interface LaunchPlan {
  readonly request: SandboxRequest;
  /** In this order; /work is a tmpfs where it is not among them. */
  readonly binds: readonly Bind[];
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
export function bubblewrapOptions({ request, binds, limits, hostRoot, etcDir }: LaunchPlan): string[] {
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
    // bubblewrap's own init runs under the same uid and without the filter: who could write its memory, had left it.
    ['--size', '4096', '--perms', '0000', '--tmpfs', '/proc/1', '--remount-ro', '/proc/1'],
    sized('/dev/shm'),
    sized('/tmp'),
    binds.some(({ inside }) => inside === '/work') ? [] : sized('/work'),
    binds.flatMap(({ source, inside, writable }) => [writable ? '--bind' : '--ro-bind', source, inside]),
    // A shared mapping of it is memory that no limit counts.
    limits.addressSpaceBytes === null ? ['--dev-bind', '/dev/null', '/dev/zero'] : [],
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
    ...(limits.addressSpaceBytes === null ? [] : [`--as=${limits.addressSpaceBytes}`]),
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
