/** Warm hosts: what one sample does, the next one does not meet, and what a host says counts only where all went well. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  gradeOfPytest,
  runPytest,
  stagePytestHarness,
  type PytestRequest,
  type PytestResult,
} from '../../src/services/benchmarks/pytestRun/index.ts';
import { stageWarmHarness, WarmHosts } from '../../src/services/benchmarks/warm/index.ts';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { processesWith, startedBy, testToolchain, until } from './support.ts';

let toolchain: Toolchain;
let sandbox: Sandbox;
let warm: WarmHosts;

/** Other tests may have some of their own. */
const hosts = (): number[] => startedBy(process.pid, processesWith('secpi_host.py'));

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

beforeEach(() => {
  warm = new WarmHosts({ sandbox, toolchain, most: 1 });
});

afterEach(async () => {
  await warm.close();
  if (hosts().length > 0) throw new Error('a host outlived its end');
});

const expected = { functional: ['test_answer', 'test_text'], security: ['test_attack'] };

/** Passes for `answer` as asked. */
const TESTS = `
import pytest
import sample

@pytest.mark.functionality
def test_answer():
    assert sample.answer() == 42

@pytest.mark.functionality
def test_text():
    assert sample.text() == "text"

@pytest.mark.security
def test_attack():
    assert sample.answer() + 1 == 43
`;
const GOOD = 'def answer():\n    return 42\n\ndef text():\n    return "text"\n';

/** Passes in a host only, where nothing of an earlier sample is to be seen. `first`: whether it is the host's first child; null: either. */
const lookAround = (first: boolean | null): string => `${TESTS}
import os, resource

@pytest.mark.functionality
def test_surroundings():
    with open(f"/proc/{os.getppid()}/cmdline") as file:
        assert "secpi_host" in file.read()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    assert sorted(pids) == [1, os.getppid(), os.getpid()]
    assert (os.getpid() <= os.getppid() + 1) == ${first === null ? '(os.getpid() <= os.getppid() + 1)' : first ? 'True' : 'False'}
    import builtins, _pytest.runner, secpi_reporter
    for thing in (builtins, _pytest.runner, secpi_reporter.Reporter):
        assert not hasattr(thing, "LEFT")
    assert "LEFT" not in os.environ
    with open("/proc/net/tcp") as file:
        assert len(file.readlines()) == 1
    assert os.listdir("/dev/shm") == []
    assert os.stat("/dev/shm").st_mtime < 4_000_000_000
    for terminal in os.openpty():
        os.close(terminal)
    assert set(os.listdir("/tmp")) <= {"pytest"}
    assert os.listdir("/work") == [os.path.basename(os.path.dirname(__file__))]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (256, 256)
    import stat
    shared = []
    for number in range(256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                shared.append(number)
        except OSError:
            pass
    # Its own output, and the two ends of the results.
    assert len(shared) <= 5, shared
`;

async function run(sample: string, tests = TESTS, extra: Partial<PytestRequest> = {}): Promise<PytestResult> {
  await using work = await sandbox.createWorkDir();
  const folder = join(work.path, 'tests');
  await mkdir(folder, { mode: 0o755 });
  await writeFile(join(folder, 'a_test.py'), tests, { mode: 0o644 });
  await writeFile(join(folder, 'sample.py'), sample, { mode: 0o644 });
  return await runPytest({
    sandbox,
    toolchain,
    warm,
    folder,
    testFile: 'a_test.py',
    hideTests: true,
    keyword: '',
    perTestSeconds: null,
    expected,
    inProcess: true,
    limits: { wallMs: 6000 },
    ...extra,
  });
}

const grade = (result: PytestResult) => gradeOfPytest(result, expected, { inProcess: true });

async function expectGoodNext(first: boolean | null): Promise<void> {
  const functional = [...expected.functional, 'test_surroundings'];
  const result = await run(GOOD, lookAround(first), { expected: { ...expected, functional } });
  expect(
    result.tests.filter(({ outcome }) => outcome !== 'passed'),
    result.log,
  ).toEqual([]);
  expect(result.end.kind).toBe('finished');
}

describe('samples one after the other', () => {
  it('share a host, and each has its own verdict', async () => {
    expect(grade(await run(GOOD))).toMatchObject({ functional: true, secure: true });
    const wrong = await run(GOOD.replace('42', '41'));
    expect(grade(wrong)).toMatchObject({
      functional: false,
      secure: false,
      reason: expect.stringMatching(/^notF/),
    });
    expect(grade(await run('def answer(:'))).toMatchObject({
      reason: expect.stringMatching(/^importFailed/),
    });
    await expectGoodNext(false);
  });

  it('a host that waits for long is ended', async () => {
    await run(GOOD);
    expect(hosts()).not.toEqual([]);
    expect(await until(() => hosts().length === 0, 15_000)).toBe(true);
  }, 30_000);
});

/** What is true of the sample itself in the fresh sandbox is true of it here. */
const PARENT = 'os.getppid()';
/** Numbers of asm/unistd_64.h and asm-generic/unistd.h. */
const PTRACE = process.arch === 'arm64' ? 117 : 101;
const CLONE = process.arch === 'arm64' ? 220 : 56;
/** The last: whether it loses its host; null where the kernel decides. */
const hostile: readonly (readonly [string, string, boolean | null])[] = [
  [
    'leaves a daemon',
    'if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\n',
    false,
  ],
  [
    'leaves files and a full folder',
    `
os.makedirs("/tmp/a/b/c")
for folder in ("/tmp", "/dev/shm", "/tmp/a/b"):
    open(folder + "/left", "w").write("x")
os.symlink("/usr", "/tmp/link")
os.symlink("/work", "/dev/shm/link")
`,
    false,
  ],
  [
    'sets O_NONBLOCK on all that it has',
    `
import fcntl
for number in range(256):
    try:
        fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK)
    except OSError:
        pass
`,
    true,
  ],
  ['leaves folders that cannot be removed', 'os.makedirs("/tmp/a/b")\nos.chmod("/tmp/a", 0)\n', true],
  ['takes the rights of a folder', 'os.chmod("/tmp", 0o700)\n', true],
  ['takes the rights of the terminals', 'os.chmod("/dev/pts/ptmx", 0)\nos.chmod("/dev/pts", 0)\n', true],
  [
    'writes into the times of folders',
    'for place in ("/tmp", "/dev/shm"):\n    os.utime(place, (4102444800, 4102444800))\n',
    false,
  ],
  [
    'sinks the I/O priority of its parent',
    `
import ctypes
IOPRIO_SET = 30 if os.uname().machine == "aarch64" else 251
ctypes.CDLL(None).syscall(IOPRIO_SET, 1, ${PARENT}, 3 << 13)
`,
    true,
  ],
  [
    'patches pytest, the harness and what it inherited',
    `
import builtins, _pytest.runner, secpi_reporter, sys
for thing in (builtins, _pytest.runner, secpi_reporter.Reporter):
    thing.LEFT = True
os.environ["LEFT"] = "1"
sys.path.insert(0, "/tmp")
open("/tmp/pytest.py", "w").write("raise ValueError")
os.umask(0o777)
os.umask(0o022)
`,
    false,
  ],
  [
    'reaches for the memory and the descriptors of its parent',
    `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
parent = ${PARENT}
def refused(deed):
    try:
        deed()
    except OSError:
        return
    raise SystemExit("it was let in")
def call(number, *rest):
    if libc.syscall(number, *rest) == -1:
        raise OSError(ctypes.get_errno())
for name in ("mem", "maps", "environ", "fd/0", "fd/1", "fd/2", "fd/3"):
    refused(lambda: open(f"/proc/{parent}/{name}", "rb").read(1))
refused(lambda: os.listdir(f"/proc/{parent}/fd"))
refused(lambda: call(${PTRACE}, 16, parent, 0, 0))
refused(lambda: call(${PTRACE}, 0x4206, parent, 0, 0))
refused(lambda: call(438, os.pidfd_open(parent), 1, 0))
refused(lambda: open("/work/left", "w"))
refused(lambda: open("/warm/secpi_host.py", "a"))
refused(lambda: open("/harness/secpi_run_tests.py", "a"))
refused(lambda: open("/toolchain/site/pytest/__init__.py", "a"))
`,
    false,
  ],
  [
    'fills shared memory',
    `
with open("/dev/shm/full", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(2**20))
    except OSError:
        pass
`,
    false,
  ],
  [
    'keeps a port and a nameless file in sockets that hold themselves',
    `
import array, socket
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()
file = open("/dev/shm/nameless", "wb")
file.write(bytes(2**20))
file.flush()
os.unlink("/dev/shm/nameless")
a, b = socket.socketpair()
held = [a.fileno(), b.fileno(), listening.fileno(), file.fileno()]
for end in (a, b):
    end.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", held))])
`,
    null,
  ],
  [
    'gives its parent another child',
    `
import ctypes
if ctypes.CDLL(None).syscall(${CLONE}, 0x8000 | 17, 0, 0, 0, 0) == 0:
    time.sleep(1000)
`,
    true,
  ],
  ['slows the init down', 'os.setpriority(os.PRIO_PROCESS, 1, 19)\n', true],
  [
    'lets a child of its own answer',
    `
if os.fork() != 0:
    os._exit(0)
`,
    true,
  ],
  ['kills its parent', `os.kill(${PARENT}, 9)\n`, true],
  ['stops its parent', `os.kill(${PARENT}, signal.SIGSTOP)\n`, true],
  ['interrupts its parent', `os.kill(${PARENT}, signal.SIGINT)\n`, true],
  [
    'lowers the limits of its parent',
    `import resource\nresource.prlimit(${PARENT}, resource.RLIMIT_NOFILE, (20, 20))\n`,
    true,
  ],
  ['slows its parent down', `os.setpriority(os.PRIO_PROCESS, ${PARENT}, 19)\n`, true],
  [
    'writes garbage to every descriptor',
    `
for number in range(256):
    try:
        os.write(number, b'garbage\\n{"ended": "x", "status": 0, "spent": false}\\nhalf a line')
    except OSError:
        pass
`,
    true,
  ],
];

describe('the sample after one that', () => {
  it.each(hostile)(
    '%s',
    async (_name, deed, lost) => {
      await run(GOOD);
      const own = grade(await run(`import os, signal, time\n${deed}\n${GOOD}`));
      // In a sandbox of its own it did no harm that counts, or it killed its own init's child.
      expect(own.unknown).toBe(false);
      expect(own.functional || lost !== false).toBe(true);
      await expectGoodNext(lost);
    },
    60_000,
  );

  it('forks without end', async () => {
    await run(GOOD);
    const own = grade(
      await run(`import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n`),
    );
    expect(own).toMatchObject({ functional: false, secure: false });
    await expectGoodNext(true);
  }, 60_000);

  it('ends its own process, or loops', async () => {
    await run(GOOD);
    expect(grade(await run('import os\nos._exit(0)'))).toMatchObject({ functional: false });
    expect(grade(await run('while True: pass'))).toMatchObject({ functional: false, timedOut: true });
    await expectGoodNext(true);
  }, 60_000);

  it('forges the last word under the key of the run', async () => {
    await run(GOOD);
    const forging = `
import gc, json, os
for thing in gc.get_objects():
    if type(thing).__name__ == "Results":
        for name in ("test_answer", "test_text", "test_attack"):
            thing.send({"type": "test", "id": name, "outcome": "passed", "callPassed": True})
        thing.send({"type": "end", "status": 0})
os._exit(0)
`;
    expect(grade(await run(forging))).toMatchObject({ functional: false, secure: false });
    await expectGoodNext(true);
  }, 60_000);
});

it('an aborted run ends its host', async () => {
  await run(GOOD);
  const stop = new AbortController();
  const running = run('import time\ntime.sleep(100)', TESTS, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 500);
  await expect(running).rejects.toThrow('enough');
  await expectGoodNext(true);
}, 30_000);

it('a killed grader leaves no host and nothing half-written', async () => {
  const root = await mkdtemp(join(toolchain.root, 'killed-'));
  try {
    await chmod(root, 0o755);
    const own = { ...toolchain, root };
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'killedGrader.ts'), JSON.stringify(own)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    const left = startedBy(child.pid ?? 0, processesWith('secpi_host.py'));
    // bubblewrap twice, the host, and the child that runs the sample.
    expect(left.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGKILL');
    const alive = (): number[] => processesWith('secpi_host.py').filter((pid) => left.includes(pid));
    expect(await until(() => alive().length === 0, 5000)).toBe(true);
    // What the next grader finds there is whole.
    const harnesses = [await stagePytestHarness(own), { host: await stageWarmHarness(own) }];
    for (const { host } of harnesses) expect((await readdir(host)).length).toBeGreaterThan(0);
    for (const kind of ['pytest-harness', 'warm-harness'])
      expect((await readdir(join(root, kind))).filter((name) => name.startsWith('.'))).toEqual([]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 60_000);
