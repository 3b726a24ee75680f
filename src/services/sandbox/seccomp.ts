/**
 * The seccomp filter of the sandbox: a deny list as a classic BPF program, assembled here so that no native
 * library is needed. Numbers are those of the kernel headers (asm/unistd_64.h, asm-generic/unistd.h); a unit
 * test compares them with the headers of the machine where there are any.
 */

export type SeccompArch = 'x64' | 'arm64';

/** AUDIT_ARCH_* of linux/audit.h. */
const AUDIT_ARCH: Record<SeccompArch, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Refused with EPERM: [x86_64, aarch64], null where the architecture lacks it. */
export const DENIED_SYSCALLS: Readonly<Record<string, readonly [number | null, number | null]>> = {
  // Mounts and namespaces: another view of the file system, or capabilities in a namespace of one's own.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  unshare: [272, 97],
  setns: [308, 268],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  // Large kernel surfaces with a record of local exploits.
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  // Other processes.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  // Memory that no limit of ours counts: objects that live without a process or a sized mount.
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  msgget: [68, 186],
  semget: [64, 190],
  mq_open: [240, 180],
  // The machine itself.
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  syslog: [103, 116],
  vhangup: [153, 58],
  personality: [135, 92],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  create_module: [174, null],
  query_module: [178, null],
  get_kernel_syms: [177, null],
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
};

/** Handled by their arguments. */
export const INSPECTED_SYSCALLS: Readonly<Record<string, readonly [number, number]>> = {
  clone: [56, 220],
  clone3: [435, 435],
  socket: [41, 198],
  socketpair: [53, 199],
  ioctl: [16, 29],
  mmap: [9, 222],
};

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
/** CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET} of linux/sched.h; NEWTIME (0x80) lies in clone's signal byte. */
const CLONE_NEW_MASK = 0x7e020000;
/** unix, inet, inet6: loopback servers of tests need these; all others are kernel surface for nothing. */
const SOCKET_FAMILIES = [1, 2, 10];
/** TIOCSTI and TIOCLINUX push keystrokes into a terminal. */
const TERMINAL_IOCTLS = [0x5412, 0x541c];
/** MAP_SHARED (also part of MAP_SHARED_VALIDATE) and MAP_ANONYMOUS of asm-generic/mman-common.h. */
const MAP_SHARED = 0x01;
const MAP_ANONYMOUS = 0x20;
/** System calls of the x32 ABI carry this bit and would pass a list of plain numbers. */
const X32_BIT = 0x40000000;

const LD_ABS = 0x20;
const JEQ = 0x15;
const JGE = 0x35;
const JSET = 0x45;
const RET = 0x06;
const RET_ALLOW = 0x7fff0000;
const RET_KILL_PROCESS = 0x80000000;
const retErrno = (errno: number) => 0x00050000 | errno;

/** Offsets in struct seccomp_data; both architectures are little-endian, so the low half of args[i] comes first. */
const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
const offsetArgument = (index: number) => 16 + 8 * index;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];

export interface SeccompOptions {
  /** Anonymous shared mappings: pages of them that no process holds resident escape the watch. */
  readonly sharedMemory: boolean;
}

/** Each block is `if (matches) return value`, so a reader checks it in isolation; jumps never leave a block. */
function program(arch: SeccompArch, { sharedMemory }: SeccompOptions): Instruction[] {
  const column = arch === 'x64' ? 0 : 1;
  const out: Instruction[] = [
    [LD_ABS, 0, 0, OFFSET_ARCH],
    [JEQ, 1, 0, AUDIT_ARCH[arch]],
    [RET, 0, 0, RET_KILL_PROCESS],
    [LD_ABS, 0, 0, OFFSET_NR],
  ];
  if (arch === 'x64') out.push([JGE, 0, 1, X32_BIT], [RET, 0, 0, retErrno(ENOSYS)]);
  for (const numbers of Object.values(DENIED_SYSCALLS)) {
    const number = numbers[column];
    if (number !== null && number !== undefined) out.push([JEQ, 0, 1, number], [RET, 0, 0, retErrno(EPERM)]);
  }
  const inspected = (name: keyof typeof INSPECTED_SYSCALLS) => {
    const numbers = INSPECTED_SYSCALLS[name];
    if (numbers === undefined) throw new Error(`no number for ${name}`);
    return numbers[column] ?? numbers[0];
  };
  // clone3 keeps its flags in memory, where a filter cannot look: ENOSYS makes libc fall back to clone.
  out.push([JEQ, 0, 1, inspected('clone3')], [RET, 0, 0, retErrno(ENOSYS)]);
  const whole = (number: number, body: readonly Instruction[]) =>
    out.push([JEQ, 0, body.length, number], ...body);
  whole(inspected('clone'), [
    [LD_ABS, 0, 0, offsetArgument(0)],
    [JSET, 0, 1, CLONE_NEW_MASK],
    [RET, 0, 0, retErrno(EPERM)],
    [RET, 0, 0, RET_ALLOW],
  ]);
  for (const name of ['socket', 'socketpair'] as const) {
    whole(inspected(name), [
      [LD_ABS, 0, 0, offsetArgument(0)],
      ...SOCKET_FAMILIES.flatMap((family): Instruction[] => [
        [JEQ, 0, 1, family],
        [RET, 0, 0, RET_ALLOW],
      ]),
      [RET, 0, 0, retErrno(EAFNOSUPPORT)],
    ]);
  }
  whole(inspected('ioctl'), [
    [LD_ABS, 0, 0, offsetArgument(1)],
    ...TERMINAL_IOCTLS.flatMap((request): Instruction[] => [
      [JEQ, 0, 1, request],
      [RET, 0, 0, retErrno(EPERM)],
    ]),
    [RET, 0, 0, RET_ALLOW],
  ]);
  if (!sharedMemory) {
    whole(inspected('mmap'), [
      [LD_ABS, 0, 0, offsetArgument(3)],
      [JSET, 0, 2, MAP_SHARED],
      [JSET, 0, 1, MAP_ANONYMOUS],
      [RET, 0, 0, retErrno(EPERM)],
      [RET, 0, 0, RET_ALLOW],
    ]);
  }
  out.push([RET, 0, 0, RET_ALLOW]);
  return out;
}

/** The program as an array of struct sock_filter, as bubblewrap's `--seccomp FD` reads it. */
export function seccompProgram(arch: SeccompArch, options: SeccompOptions = { sharedMemory: true }): Buffer {
  const instructions = program(arch, options);
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, jumpTrue, jumpFalse, k], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  });
  return bytes;
}
