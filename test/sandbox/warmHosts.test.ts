/** Warm hosts: what one sample does, the next one does not meet, and what a host says counts only where all went well. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  gradeOfPytest,
  runPytest,
  type PytestRequest,
  type PytestResult,
} from '../../src/services/benchmarks/pytestRun/index.ts';
import { WarmHosts } from '../../src/services/benchmarks/warm/index.ts';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { processesWith, testToolchain, until } from './support.ts';

let toolchain: Toolchain;
let sandbox: Sandbox;
let warm: WarmHosts;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

beforeEach(() => {
  warm = new WarmHosts({ sandbox, toolchain, most: 1 });
});

afterEach(async () => {
  await warm.close();
  if (processesWith('secpi_host.py').length > 0) throw new Error('a host outlived its end');
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

/** Passes in a host only, where nothing of an earlier sample is to be seen; \`${first}\` is the child's first number. */
const lookAround = (first: boolean): string => `${TESTS}
import os, resource

@pytest.mark.functionality
def test_surroundings():
    with open(f"/proc/{os.getppid()}/cmdline") as file:
        assert "secpi_host" in file.read()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    assert sorted(pids) == [1, os.getppid(), os.getpid()]
    assert (os.getpid() <= os.getppid() + 1) == ${first ? 'True' : 'False'}
    assert os.listdir("/dev/shm") == []
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

async function expectGoodNext(first: boolean): Promise<void> {
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
    expect(processesWith('secpi_host.py')).not.toEqual([]);
    expect(await until(() => processesWith('secpi_host.py').length === 0, 15_000)).toBe(true);
  }, 30_000);
});

/** What is true of the sample itself in the fresh sandbox is true of it here. */
const PARENT = 'os.getppid()';
const hostile: readonly (readonly [string, string, boolean])[] = [
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
