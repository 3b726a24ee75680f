/**
 * Where a gVisor kernel answers a hostile program otherwise than Linux under bubblewrap, and why that contains it just
 * as well. All other programs are checked as they stand.
 */
import type { HostileProgram } from './hostilePrograms.ts';

export interface GvisorAnswer {
  /** The start of the program's name. */
  readonly program: string;
  readonly why: string;
  readonly check: HostileProgram['check'];
}

const REFUSED = ['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOSYS', 'EAFNOSUPPORT'];
const isRefused = (value: unknown) => REFUSED.includes(String(value));
const told = (findings: Readonly<Record<string, unknown>>, isRight: boolean) =>
  isRight && Object.keys(findings).length > 0 ? undefined : JSON.stringify(findings);

export const GVISOR_ANSWERS: readonly GvisorAnswer[] = [
  {
    program: 'trap 1',
    why: 'process 1 is a shell inside that may be looked at: it has no environment but the HOME that gVisor sets',
    check: (_, f) => told(f, f['init'] === 'HOME=/tmp\0' && f['leaks'] === false),
  },
  {
    program: 'trap 2',
    why: '/sys shows gVisor’s own kernel, and nothing of the host',
    check: (_, { '/sys': sys, ...rest }) =>
      told(rest, Array.isArray(sys) && Object.values(rest).every(isRefused)),
  },
  {
    program: 'the sandbox’s own init',
    why: 'process 1 knows nothing that the sample does not; it cannot be written',
    check: (_, f) =>
      told(
        f,
        ['mem r+b', 'task/1/mem r+b', 'open up', 'make', 'umount'].every((name) => isRefused(f[name])),
      ),
  },
  {
    program: 'shared memory that no process keeps resident',
    why: 'gVisor keeps all memory in one file, whose size is watched: such mappings count',
    check: (_, f) => told(f, f['anonymous'] === false),
  },
  {
    program: 'file count on tmpfs',
    why: 'an inode takes memory of the watched kernel, and time: there is no other count',
    check: (result, f) => {
      const { outcome, signalName } = result;
      const stopped = outcome === 'memoryLimit' || outcome === 'timeout' || signalName === 'SIGKILL';
      return stopped ? undefined : `${JSON.stringify(result)} ${JSON.stringify(f)}`;
    },
  },
  {
    program: 'the host’s folders are not there',
    why: 'gVisor always mounts its own /sys',
    check: (_, f) => told(f, f['root'] === 'dev,etc,proc,sys,tmp,toolchain,usr,work'),
  },
  {
    program: 'refused system calls',
    why: 'calls that gVisor does not have fail with ENOSYS',
    check: (_, f) =>
      told(
        f,
        Object.values(f).every((value) => value === 'EPERM' || value === 'ENOSYS'),
      ),
  },
  {
    program: 'clone3 and the x32 calls',
    why: 'gVisor has clone3; namespaces made by it are its own, and no Linux kernel sees them',
    check: (_, f) => told(f, f['clone3'] === 'EINVAL' && (f['x32 getpid'] ?? 'ENOSYS') === 'ENOSYS'),
  },
  {
    program: 'odd socket families',
    why: 'gVisor’s filter knows no other error than EPERM',
    check: (_, f) => told(f, Object.values(f).every(isRefused)),
  },
  {
    program: 'no privilege',
    why: 'gVisor’s status does not show NoNewPrivs, its empty root is not marked nosuid, and its /dev has fuse and net, of no use without capabilities',
    check: (_, { NoNewPrivs: _shown, nosuid: _root, devices: _names, ...rest }) =>
      told(
        rest,
        Object.values(rest).every((value) => value === true),
      ),
  },
];
