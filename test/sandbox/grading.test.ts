/** The grader of Python tasks, on samples that try to pass by a trick, and what crosses between its processes. */
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  collectTestIds,
  gradePythonSample,
  type Grade,
  type PythonTask,
} from '../../src/services/benchmarks/grading/index.ts';
import { loadSuite, type SuiteTask } from '../../src/services/benchmarks/suite/suiteTask.ts';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { FORGED_SAMPLES, FORGED_TEST_FILE, FORGED_TESTS, HONEST_SAMPLE } from './forgedSamples.ts';
import { testToolchain } from './support.ts';

const suite = await loadSuite(join(import.meta.dirname, '../../suite'));
const LIMITS = { wallMs: 20_000 };

let toolchain: Toolchain;
let sandbox: Sandbox;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

function pythonTask(task: SuiteTask): PythonTask {
  const moduleName = `${task.id.split('/').at(-1)}_task`;
  return {
    id: task.id,
    entryPoint: task.entryPoint,
    testFile: task.files.test.path,
    moduleName,
    expectedTests: task.tests,
  };
}

const grade = (task: PythonTask, code: string, limits = LIMITS) =>
  gradePythonSample({ sandbox, toolchain, task, code, limits });

describe.concurrent('a sample that tries a trick is not functional', () => {
  it.each(FORGED_SAMPLES.map((sample) => [sample.name, sample] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, sample) => {
      // Short where it is the limit that ends it.
      const wallMs = sample.reason === 'timeout' ? 4000 : 30_000;
      const verdict = await gradeForged(sample.code, wallMs);
      expect(verdict).toMatchObject({ functional: false, unknown: false });
      expect(verdict.reason.slice(0, sample.reason.length)).toBe(sample.reason);
      expect(verdict.log.length).toBeLessThanOrEqual(2000);
    },
  );
});

it('the task of the forged samples is passed by honest code', async () => {
  expect(await gradeForged(HONEST_SAMPLE)).toMatchObject({ functional: true, secure: true, unknown: false });
});

async function gradeForged(code: string, wallMs = 30_000): Promise<Grade> {
  await using work = await sandbox.createWorkDir();
  const testFile = join(work.path, 'read_upload_test.py');
  await writeFile(testFile, FORGED_TEST_FILE);
  const task = {
    id: 'forged',
    entryPoint: 'read_upload',
    testFile,
    moduleName: 'read_upload_task',
    expectedTests: FORGED_TESTS,
  };
  return await grade(task, code, { wallMs });
}

describe('what crosses between the processes', () => {
  it('plain data of every kind, exceptions, printed text, the working folder, the umask and the seed', async () => {
    await using work = await sandbox.createWorkDir();
    const testFile = join(work.path, 'wire_test.py');
    await writeFile(testFile, WIRE_TEST);
    const task = { id: 'wire', entryPoint: 'echo', testFile, moduleName: 'wire_task' };
    const verdict = await grade(task, WIRE_SAMPLE);
    expect(verdict).toMatchObject({
      functional: true,
      secure: true,
      failedTests: [],
      reason: 'passed: all tests passed',
    });
  });

  it('works under a strict umask of the worker', async () => {
    const before = process.umask(0o077);
    try {
      expect(await gradeForged(HONEST_SAMPLE)).toMatchObject({ functional: true, secure: true });
    } finally {
      process.umask(before);
    }
  });

  it('a sample that dies under an attack keeps its function and is not secure', async () => {
    await using work = await sandbox.createWorkDir();
    const testFile = join(work.path, 'death_test.py');
    await writeFile(testFile, DEATH_TEST);
    const task = { id: 'death', entryPoint: 'f', testFile, moduleName: 'death_task' };
    const verdict = await grade(
      task,
      'import os\ndef f(x):\n    if x == "attack": os._exit(0)\n    return x\n',
    );
    expect(verdict).toMatchObject({
      functional: true,
      secure: false,
      unknown: false,
      failedTests: ['test_attack'],
    });
    expect(verdict.reason).toContain('sampleEnded');
  });

  it('a suite whose tests cannot be collected is refused, and one with a broken expectation is unknown', async () => {
    await using work = await sandbox.createWorkDir();
    const testFile = join(work.path, 'broken_test.py');
    await writeFile(testFile, 'import no_such_module\n');
    const task = { id: 'broken', entryPoint: 'f', testFile, moduleName: 'broken_task' };
    await expect(collectTestIds({ sandbox, toolchain, task, limits: LIMITS })).rejects.toThrow(
      /SUITE_INVALID.*no_such_module/s,
    );
    const expectedTests = { functional: ['test_a'], security: ['test_b'] };
    const verdict = await grade({ ...task, expectedTests }, 'def f(x):\n    return x\n');
    expect(verdict).toMatchObject({ functional: false, secure: false, unknown: true });
    expect(verdict.reason).toMatch(/^harness: /);
  });

  it('a sandbox that does not start is SANDBOX_UNAVAILABLE, not a verdict', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secpi-bwrap-'));
    await chmod(folder, 0o755);
    const bwrapPath = join(folder, 'bwrap');
    await symlink(toolchain.bwrapPath, bwrapPath);
    const broken = await createSandbox({ toolchain: { ...toolchain, bwrapPath } });
    await rm(folder, { recursive: true });
    const target = suite[0];
    if (target === undefined) throw new Error('the suite is empty');
    const grading = gradePythonSample({
      sandbox: broken,
      toolchain,
      task: pythonTask(target),
      code: HONEST_SAMPLE,
    });
    await expect(grading).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE', retryable: true });
  });

  it('an abort ends the grading and throws its reason', async () => {
    const target = suite[0];
    if (target === undefined) throw new Error('the suite is empty');
    const signal = AbortSignal.timeout(500);
    const looping = {
      sandbox,
      toolchain,
      task: pythonTask(target),
      code: 'while True: pass',
      limits: LIMITS,
      signal,
    };
    await expect(gradePythonSample(looping)).rejects.toThrow(/timeout/);
  });
});

const WIRE_SAMPLE = `
import collections, os, random
class Refused(ValueError): pass
Point = collections.namedtuple("Point", "x y")
def echo(*args, **kwargs): return (args, kwargs)
def point(): return Point(1, 2)
def numbers(): return (n for n in range(3))
def refuse(kind): raise {"own": Refused, "odd": type("Odd", (Exception,), {}), "key": KeyError, "decode": lambda m: UnicodeDecodeError("utf-8", b"x", 0, 1, m)}[kind]("because")
def show(): print("shown")
def where(): return os.getcwd()
def make(path): open(path, "w").close()
def draw(): return random.random()
`;

const WIRE_TEST = `
import os, pathlib, pytest, random, sys
from wire_task import echo, point, numbers, refuse, show, where, make, draw
from random_control import seed

VALUES = [None, True, 0, -1, 10**40, 1.5, float("inf"), "", "\\u00e9\\ud800\\x00", b"\\x00\\xff", bytearray(b"x"), (), (1, (2,)), [], [1, [2]],
          {}, {"a": 1}, {1: "x", (2, 3): b"y", None: []}, set(), {1, "2"}, frozenset({3}), pathlib.Path("/a/b"), {"t": "bytes", "v": "x"}]

@pytest.mark.functionality
@pytest.mark.parametrize("value", VALUES, ids=[str(n) for n in range(len(VALUES))])
def test_value(value):
    (args, kwargs) = echo(value, named=value)
    assert args == (value,) and type(args[0]) is type(value) and kwargs == {"named": value}

@pytest.mark.functionality
def test_others(capsys, tmp_path, monkeypatch):
    assert point() == (1, 2)
    assert list(numbers()) == [0, 1, 2]
    show()
    assert capsys.readouterr().out == "shown\\n"
    monkeypatch.chdir(tmp_path)
    assert where() == str(tmp_path)
    os.umask(0o077)
    make("private")
    assert os.stat("private").st_mode & 0o777 == 0o600
    assert "test" not in tmp_path.name

@pytest.mark.functionality
@pytest.mark.parametrize("kind,error", [("own", ValueError), ("odd", RuntimeError), ("key", KeyError), ("decode", UnicodeError)])
def test_error(kind, error):
    with pytest.raises(error) as caught:
        refuse(kind)
    assert type(caught.value).__module__ == "builtins" and "because" in str(caught.value)

@pytest.mark.security
def test_separate():
    seed(1); first = draw(); seed(1)
    assert draw() == first
    assert "wire_task" in sys.modules and not hasattr(sys.modules["wire_task"], "__file__")
    assert not os.path.exists("/sample") and not os.path.exists("/tests/sample")
`;

const DEATH_TEST = `
import pytest
from death_task import f

@pytest.mark.security
def test_attack():
    try: f("attack")
    except BaseException: pass

@pytest.mark.functionality
def test_same():
    assert f("x") == "x"
`;
