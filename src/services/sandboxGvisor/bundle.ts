/** What runsc reads: the OCI configuration of one sandbox. Pure, so that each bound can be read and tested here. */
import { DENIED_SYSCALLS } from '../sandbox/seccomp.ts';
import { TOOLCHAIN_INSIDE, type SandboxLimits, type SandboxRequest } from '../sandbox/index.ts';

export interface GvisorPlan {
  readonly request: SandboxRequest;
  readonly limits: SandboxLimits;
  /** Absolute, on the host: empty folders where something is mounted, and links such as /bin. */
  readonly rootfs: string;
  /** Host folder of passwd, group and hosts, shown at /etc. */
  readonly etcDir: string;
  /** Of the host's root what is a folder of its own, and no link into /usr. */
  readonly rootFolders: readonly string[];
  readonly toolchainDir: string;
  /** The work folder is the user's own: the one host uid that a rootless gVisor can write as is its 0. */
  readonly ownsWork: boolean;
  readonly arch: 'x64' | 'arm64';
}

/** Who a sample is that needs to write nothing. */
const NOBODY = 65_534;
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} of linux/sched.h. */
const NAMESPACE_FLAGS = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
];
/** The families that stay are AF_UNIX (1) and these: loopback servers of tests need them. */
const AF_INET = 2;
const AF_INET6 = 10;
/** TIOCSTI and TIOCLINUX push keystrokes into a terminal. */
const TERMINAL_INJECTIONS = [0x5412, 0x541c];

const BASE_ENV = { PATH: '/usr/bin:/bin', HOME: '/tmp', TMPDIR: '/tmp', LANG: 'C.UTF-8' };

/** Process 1 waits for the sample and takes in orphans. It has no environment, and says nothing of its own. */
const INIT = [
  '/bin/sh',
  '-c',
  'exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?',
  'init',
  '/usr/bin/env',
  '-i',
] as const;

export interface OciMount {
  readonly destination: string;
  readonly type: 'bind' | 'proc' | 'tmpfs';
  readonly source: string;
  readonly options: readonly string[];
}

/** Everything that appears inside, besides /dev and /sys, which gVisor makes of nothing of the host. */
export function mountsOf({
  request,
  limits,
  etcDir,
  rootFolders,
  toolchainDir,
}: Omit<GvisorPlan, 'rootfs' | 'arch' | 'ownsWork'>): OciMount[] {
  const sized = (destination: string): OciMount => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [`size=${limits.tmpBytes}`, 'mode=1777', 'nosuid', 'nodev'],
  });
  const bind = (source: string, destination: string, access: 'ro' | 'rw'): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', access, 'nosuid', 'nodev'],
  });
  const { workDir, workWritable, readOnly = [] } = request;
  return [
    bind('/usr', '/usr', 'ro'),
    ...rootFolders.map((folder) => bind(folder, folder, 'ro')),
    bind(etcDir, '/etc', 'ro'),
    { destination: '/proc', type: 'proc', source: 'proc', options: ['ro', 'nosuid', 'nodev', 'noexec'] },
    sized('/dev/shm'),
    sized('/tmp'),
    workDir === undefined ? sized('/work') : bind(workDir, '/work', workWritable === true ? 'rw' : 'ro'),
    bind(toolchainDir, TOOLCHAIN_INSIDE.dir, 'ro'),
    ...readOnly.map(({ host, inside }) => bind(host, inside, 'ro')),
  ];
}

/** `config.json` of the bundle, OCI runtime specification 1.0. */
export function ociConfig(plan: GvisorPlan): object {
  const { request, limits, rootfs, ownsWork, arch } = plan;
  const uid = ownsWork ? 0 : NOBODY;
  const env = Object.entries({ ...BASE_ENV, ...request.env }).map(([name, value]) => `${name}=${value}`);
  const none: readonly string[] = [];
  return {
    ociVersion: '1.0.0',
    hostname: 'sandbox',
    root: { path: rootfs, readonly: true },
    process: {
      terminal: false,
      user: { uid, gid: uid, umask: 0o022 },
      args: [...INIT, ...env, ...request.command],
      env: none,
      cwd: '/work',
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
      rlimits: rlimitsOf(limits),
    },
    mounts: mountsOf(plan),
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      seccomp: seccompOf(arch),
    },
  };
}

function rlimitsOf(limits: SandboxLimits): object[] {
  const values: Readonly<Record<string, number | null>> = {
    RLIMIT_CPU: limits.cpuSeconds,
    RLIMIT_AS: limits.addressSpaceBytes,
    // As with bubblewrap: one more, for the process that waits.
    RLIMIT_NPROC: limits.processes + 1,
    RLIMIT_FSIZE: limits.fileBytes,
    RLIMIT_NOFILE: limits.openFiles,
    RLIMIT_CORE: 0,
  };
  return Object.entries(values).flatMap(([type, value]) =>
    value === null ? [] : [{ type, soft: value, hard: value }],
  );
}

/**
 * The other backend's deny list, inside gVisor's own kernel, which needs most of it less: it has no io_uring or bpf to
 * attack. gVisor knows no other error than EPERM here, and clone3 must not fail with that (libc would not fall back to
 * clone), so namespaces can be made by it: of gVisor, not of the host.
 */
function seccompOf(arch: 'x64' | 'arm64'): object {
  const column = arch === 'x64' ? 0 : 1;
  const names = Object.entries(DENIED_SYSCALLS).flatMap(([name, numbers]) =>
    numbers[column] === null ? [] : [name],
  );
  const refuse = (called: readonly string[], args: readonly object[]) => ({
    names: called,
    action: 'SCMP_ACT_ERRNO',
    args,
  });
  // Several conditions on one argument: any of them.
  const flags = NAMESPACE_FLAGS.map((flag) => ({
    index: 0,
    value: flag,
    valueTwo: flag,
    op: 'SCMP_CMP_MASKED_EQ',
  }));
  const requests = TERMINAL_INJECTIONS.map((request) => ({ index: 1, value: request, op: 'SCMP_CMP_EQ' }));
  const families = [
    { index: 0, value: AF_INET6, op: 'SCMP_CMP_GT' },
    ...range(AF_INET + 1, AF_INET6).map((family) => ({ index: 0, value: family, op: 'SCMP_CMP_EQ' })),
  ];
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: [arch === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      refuse(names, []),
      refuse(['clone'], flags),
      refuse(['ioctl'], requests),
      refuse(['socket', 'socketpair'], families),
    ],
  };
}

/** Whole numbers from `first` to below `end`. */
function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, step) => first + step);
}
