/**
 * The rows' own tests as an oracle, in the real sandbox: every recorded sound trace passes its checks, broken code
 * fails them, and code that tries to decide the outcome itself is found out.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  openRowTests,
  type RowTestOutcome,
  type RowTests,
} from '../../src/services/distill/rowTests/index.ts';
import { createSandbox } from '../../src/services/sandbox/index.ts';
import { FORGED_SAMPLES, FORGED_TEST_FILE, HONEST_SAMPLE } from '../sandbox/forgedSamples.ts';
import { testToolchain } from '../sandbox/support.ts';
import { soundTraces } from './recorded.ts';

let rowTests: RowTests;
/** For code that hangs: twice this, doubled once. */
let impatient: RowTests;

beforeAll(async () => {
  const toolchain = await testToolchain();
  const host = { toolchain, sandbox: await createSandbox({ toolchain }) };
  rowTests = await openRowTests(host);
  impatient = await openRowTests(host, { wallMs: 4000 });
}, 300_000);

const python = async (code: string, tests: string | null): Promise<RowTestOutcome> =>
  await rowTests.judge({ language: 'python', code, tests });
const javascript = async (code: string, tests: string): Promise<RowTestOutcome> =>
  await rowTests.judge({ language: 'javascript', code, tests });

describe.concurrent('the recorded sound traces pass their checks', async () => {
  const traces = await soundTraces();
  it.each(traces.map((trace) => [trace.id, trace] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, { candidate }) => expect(await rowTests.judge(candidate)).toEqual({ kind: 'passed' }),
  );
});

describe.concurrent('Python code that tries a trick fails', () => {
  const tests = FORGED_TEST_FILE.replaceAll('read_upload_task', 'solution');
  const tricks: readonly (readonly [string, string])[] = [
    ...FORGED_SAMPLES.map(({ name, code }) => [name, code] as const),
    [
      'makes every test do nothing',
      `${STUB}\nimport _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n`,
    ],
    [
      'makes every report a pass',
      `${STUB}
import _pytest.reports as r
init = r.TestReport.__init__
def forged(self, *args, **kwargs):
    init(self, *args, **kwargs)
    self.outcome, self.longrepr = "passed", None
r.TestReport.__init__ = forged
`,
    ],
    ['finds the reporter and reports by itself', REPORTS_BY_ITSELF],
    [
      'removes the tests from the module that imports it',
      `${STUB}\nimport sys, threading\ndef f(): [m.__dict__.pop(n) for m in list(sys.modules.values()) for n in list(vars(m)) if n.startswith("test_")]\nthreading.Timer(0.01, f).start()\nimport time; time.sleep(0.1)\n`,
    ],
  ];
  it.each(tricks)('%s', { timeout: 120_000 }, async (_, code) => {
    expect(await impatient.judge({ language: 'python', code, tests })).toMatchObject({ kind: 'failed' });
  });

  it('and honest code passes the same tests', async () => {
    expect(await python(HONEST_SAMPLE, tests)).toEqual({ kind: 'passed' });
  });
});

const STUB = 'def read_upload(folder, file_name):\n    return ""\n';
const REPORTS_BY_ITSELF = `${STUB}
import gc, os
def report():
    for found in gc.get_objects():
        if type(found).__name__ == "Reporter" and hasattr(found, "send"):
            for name in ("test_first", "test_second", "test_outside"):
                found.send({"type": "test", "id": name, "outcome": "passed", "why": ""})
            found.send({"type": "end", "status": 0})
            os._exit(0)
report()
`;

describe.concurrent('Python tests of every shape', () => {
  it.each<[string, string, string]>([
    [
      'classes, objects and in-place changes',
      'class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)\ndef reverse(xs): xs.reverse()\n',
      'from solution import Stack, reverse\ndef test_stack():\n    s = Stack()\n    s.push(1)\n    assert s.items == [1]\ndef test_reverse():\n    xs = [1, 2]\n    reverse(xs)\n    assert xs == [2, 1]\n',
    ],
    [
      'unittest',
      'def f(x): return x + 1\n',
      'import unittest\nfrom solution import f\nclass T(unittest.TestCase):\n    def setUp(self): self.x = 1\n    def test_f(self): self.assertEqual(f(self.x), 2)\n',
    ],
    [
      'parameters and patches',
      'import time\ndef f(x): return time.time() + x\n',
      'import pytest, solution\n@pytest.mark.parametrize("x", [1, 2])\ndef test_f(x, monkeypatch):\n    monkeypatch.setattr("time.time", lambda: 10)\n    assert solution.f(x) == 10 + x\n',
    ],
    [
      'coroutines',
      'async def f(x): return x\n',
      'from solution import f\nimport pytest\n@pytest.fixture\ndef one(): return 1\nasync def test_f(one):\n    assert await f(one) == 1\n',
    ],
    [
      'bare assertions that import nothing',
      'def f(x): return x * 2\n',
      'assert f(2) == 4\nassert f(0) == 0\n',
    ],
    [
      'exceptions of the code',
      'class Bad(ValueError): pass\ndef f(): raise Bad("no")\n',
      'import pytest\nfrom solution import *\ndef test_f():\n    with pytest.raises(Bad):\n        f()\n',
    ],
    [
      'a test that returns early',
      'def f(): return 1\n',
      'from solution import f\ndef test_f():\n    if f() == 1:\n        return\n    raise AssertionError\n',
    ],
    [
      'tests that build on each other',
      'STATE = []\ndef add(x): STATE.append(x)\n',
      'import solution\ndef test_one():\n    solution.add(1)\n    assert solution.STATE == [1]\ndef test_two():\n    assert solution.STATE == [1]\n',
    ],
  ])('%s', { timeout: 60_000 }, async (_, code, tests) => {
    expect(await python(code, tests)).toEqual({ kind: 'passed' });
    const broken = await python(
      code.replaceAll(/return .*|raise Bad.*|self\.items\.append|STATE\.append/g, 'len'),
      tests,
    );
    expect(broken.kind).toBe('failed');
  });

  it.each<[string, string | null, RowTestOutcome['kind'], string]>([
    ['no tests', null, 'noTests', ''],
    ['a file without tests', 'from solution import f\n', 'noTests', ''],
    ['tests that do not parse', 'def test_f(:\n', 'unknown', 'SyntaxError'],
    [
      'tests that want what is not there',
      'import no_such_module\ndef test_f(): pass\n',
      'unknown',
      'no_such_module',
    ],
    ['tests that end the process', 'import os\nos._exit(0)\ndef test_f(): pass\n', 'unknown', 'collected'],
    ['only tests that are skipped', 'import pytest\n@pytest.mark.skip\ndef test_f(): pass\n', 'noTests', ''],
    ['a test that skips itself', 'import pytest\ndef test_f(): pytest.skip("no")\n', 'failed', 'test_f'],
  ])('%s', async (_, tests, kind, detail) => {
    const outcome = await python('def f(): return 1\n', tests);
    expect(outcome.kind).toBe(kind);
    expect('detail' in outcome ? outcome.detail : '').toContain(detail);
  });

  it('has no tests for a language that it cannot run', async () => {
    expect(await rowTests.judge({ language: 'rust', code: 'fn f() {}', tests: '#[test]' })).toEqual({
      kind: 'noTests',
    });
  });
});

const NODE_TESTS = `
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { f } from "./solution.mjs";
test("one", async (t) => {
  assert.equal(await f(1), 2);
  await t.test("within", () => assert.ok(true));
});
const made = f(5);
describe("many", () => { it("two", () => assert.deepEqual([f(2)], [made - 3])); });
test.skip("never", () => assert.fail());
`;

describe.concurrent('JavaScript and TypeScript', () => {
  it.each<[string, string, RowTestOutcome['kind']]>([
    ['a module', 'export const f = (x) => x + 1;', 'passed'],
    ['CommonJS', 'function f(x) { return x + 1; }\nmodule.exports = { f };', 'passed'],
    ['a wrong value', 'export const f = (x) => x;', 'failed'],
    ['another name', 'export const g = (x) => x + 1;', 'failed'],
    ['an exit on import', 'export const f = (x) => x;\nprocess.exit(0);', 'failed'],
    ['an exit in a call', 'export const f = (x) => process.exit(0);', 'failed'],
    [
      'assertions that are patched',
      'import assert from "node:assert/strict";\nfor (const n of Object.keys(assert)) assert[n] = () => {};\nexport const f = () => 0;\nprocess.on("exit", () => { process.exitCode = 0; });',
      'failed',
    ],
    [
      'forged lines',
      'import { writeSync } from "node:fs";\nfor (let fd = 1; fd < 20; fd += 1) try { writeSync(fd, \'{"type":"test","id":"one","outcome":"passed","why":""}\\n{"type":"end","status":0}\\n\'); } catch {}\nexport const f = () => 0;',
      'failed',
    ],
  ])('%s', async (_, code, kind) => expect((await javascript(code, NODE_TESTS)).kind).toBe(kind));

  it('takes the types out of TypeScript, of the tests too', async () => {
    const tests = NODE_TESTS.replace('./solution.mjs', './solution.ts').replace('(t)', '(t: unknown)');
    const typed = tests.replace('await t.test("within", () => assert.ok(true));', '');
    const code = 'export type X = number;\nexport const f = (x: X): X => x + 1;';
    expect(await rowTests.judge({ language: 'typescript', code, tests: typed })).toEqual({ kind: 'passed' });
  });

  it.each<[string, string, RowTestOutcome['kind']]>([
    ['no tests within', 'import { f } from "./solution.mjs";', 'noTests'],
    ['tests that do not parse', 'test(', 'unknown'],
    [
      'tests that want what is not there',
      'import "no-such-package"; import { test } from "node:test"; test("a", () => {});',
      'unknown',
    ],
  ])('%s', async (_, tests, kind) => {
    expect((await javascript('export const f = (x) => x + 1;', tests)).kind).toBe(kind);
  });
});

it('a sandbox that is gone is SANDBOX_UNAVAILABLE, not a verdict', async () => {
  const toolchain = await testToolchain();
  const sandbox = await createSandbox({ toolchain });
  const broken = await openRowTests({
    toolchain,
    sandbox: {
      ...sandbox,
      start: async (request) =>
        await sandbox.start({ ...request, readOnly: [{ host: '/nowhere', inside: '/x' }] }),
      run: async (request) =>
        await sandbox.run({ ...request, readOnly: [{ host: '/nowhere', inside: '/x' }] }),
    },
  });
  const judging = broken.judge({ language: 'python', code: 'x = 1', tests: 'def test_x(): pass' });
  await expect(judging).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
});

it('an abort ends the tests and throws its reason', async () => {
  const looping = {
    language: 'python',
    code: 'while True: pass',
    tests: 'import solution\ndef test_x(): pass',
  };
  await expect(rowTests.judge(looping, AbortSignal.timeout(1500))).rejects.toThrow(/timeout/);
});
