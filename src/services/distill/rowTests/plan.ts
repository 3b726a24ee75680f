/** How the tests of a row are run, by language: what is expected of them is found out without the code under test. */
import { parse, transform } from '@swc/core';
import { z } from 'zod';
import { messageOf } from '../../../contract/errors.ts';
import { HARNESS_INSIDE } from '../../benchmarks/stageHarness.ts';
import { TOOLCHAIN_INSIDE, type SandboxLimits } from '../../sandbox/index.ts';
import { runTests, runTrusted, type RowProcess, type RowTestHost } from './process.ts';
import type { ExpectedTests } from './verdict.ts';

export type TestMode = 'run' | 'control';

/** The tests of one row, ready for any code. */
export interface TestPlan {
  readonly expected: ExpectedTests;
  process(code: string, mode: TestMode): Promise<RowProcess>;
}

export type Planned =
  | { readonly kind: 'plan'; readonly plan: TestPlan }
  | { readonly kind: 'noTests' }
  /** The tests cannot be read, or want what the sandbox does not have. */
  | { readonly kind: 'unusable'; readonly detail: string };

export interface PlanRequest {
  readonly host: RowTestHost;
  readonly harnessDir: string;
  readonly tests: string;
  readonly limits: Partial<SandboxLimits>;
  readonly signal: AbortSignal | undefined;
}

const TEST_FILE = '/tests/test_solution.py';

const preparedSchema = z.union([
  z.object({ problem: z.string() }),
  z.object({ ids: z.array(z.string()), tests: z.string(), control: z.string() }),
]);

/** What pytest tests, and where they find it: a module they import, or a script beside them that they start. */
interface PytestSubject {
  readonly kind: 'module' | 'script';
  readonly path: string;
}
const PYTHON: PytestSubject = { kind: 'module', path: '/sample/solution.py' };
const BASH: PytestSubject = { kind: 'script', path: '/tests/solution.sh' };
const PERL: PytestSubject = { kind: 'script', path: '/tests/solution.pl' };

async function planPytest(request: PlanRequest, subject: PytestSubject): Promise<Planned> {
  const { host, harnessDir, tests, limits, signal } = request;
  const { python } = host.toolchain;
  const command = (script: string, ...args: readonly string[]): RowProcess['command'] => [
    python,
    '-I',
    '-B',
    `${HARNESS_INSIDE}/${script}`,
    ...args,
  ];
  const prepare: RowProcess = {
    command: command('prepare.py', subject.kind),
    files: { [TEST_FILE]: tests },
    limits,
  };
  const { stdout, log } = await runTrusted(host, harnessDir, prepare, signal);
  const answer = readPrepared(stdout);
  if (answer === null) return { kind: 'unusable', detail: `the tests cannot be collected: ${log}` };
  if ('problem' in answer)
    return { kind: 'unusable', detail: `the tests cannot be collected: ${answer.problem}` };
  if (answer.ids.length === 0) return { kind: 'noTests' };
  return {
    kind: 'plan',
    plan: {
      expected: { ids: answer.ids, mayGrow: false },
      process: (code, mode) =>
        Promise.resolve({
          command: command('run_python.py'),
          files: { [TEST_FILE]: mode === 'run' ? answer.tests : answer.control, [subject.path]: code },
          limits,
        }),
    },
  };
}

function readPrepared(stdout: string): z.infer<typeof preparedSchema> | null {
  try {
    return preparedSchema.parse(JSON.parse(stdout));
  } catch {
    return null; // what it said instead is in its log
  }
}

/** Node reserves address space far beyond what it uses. */
const NODE_ADDRESS_SPACE_BYTES = 8 * 1024 ** 3;
const STUB = '/sample/stub.mjs';
/** The tests may name the code with any extension, or none. */
const OWN_NAME = /^(?:\.{0,2}\/)*solution(?:\.[cm]?[jt]s)?$/;

async function planNode(request: PlanRequest): Promise<Planned> {
  const { host, harnessDir, signal } = request;
  const limits = { ...request.limits, addressSpaceBytes: NODE_ADDRESS_SPACE_BYTES };
  let tests: string;
  let stub: string;
  try {
    tests = await toJavaScript(request.tests);
    stub = await stubFor(tests);
  } catch (error) {
    return { kind: 'unusable', detail: `the tests cannot be read: ${firstLine(messageOf(error))}` };
  }
  const processFor = (mode: TestMode | 'collect', solution: string, code: string): RowProcess => ({
    command: [TOOLCHAIN_INSIDE.node, '--no-warnings', `${HARNESS_INSIDE}/run_node.mjs`, mode, solution],
    files: { '/tests/solution.test.mjs': tests, [solution]: code },
    limits,
  });
  const { reports } = await runTests(host, harnessDir, processFor('collect', STUB, stub), signal);
  const broken = reports.find((report) => report.type === 'broken');
  if (broken !== undefined || reports.at(-1)?.type !== 'end')
    return { kind: 'unusable', detail: `the tests cannot be collected: ${broken?.why ?? 'they do not end'}` };
  const ids = reports.flatMap((report) => (report.type === 'test' ? [report.id] : []));
  if (ids.length === 0) return { kind: 'noTests' };
  return {
    kind: 'plan',
    plan: {
      expected: { ids, mayGrow: true },
      process: async (code, mode) => {
        const script = await toJavaScript(code);
        return processFor(mode, isModule(script) ? '/sample/solution.mjs' : '/sample/solution.cjs', script);
      },
    },
  };
}

/** Types taken out; JavaScript passes through in meaning. Nothing runs. */
async function toJavaScript(code: string): Promise<string> {
  const { code: script } = await transform(code, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
    module: { type: 'es6' },
    isModule: 'unknown',
    swcrc: false,
    configFile: false,
  });
  return script;
}

function isModule(script: string): boolean {
  return (
    /^\s*(?:import\b(?!\s*\()|export\b)/m.test(script) || !/\bmodule\.exports\b|\bexports\.\w/.test(script)
  );
}

/** A module with every name that the tests import: whatever is done with it outside of tests gives itself again. */
async function stubFor(tests: string): Promise<string> {
  const { body } = await parse(tests, { syntax: 'ecmascript' });
  const names = new Set<string>();
  for (const item of body) {
    if (item.type !== 'ImportDeclaration' || !OWN_NAME.test(item.source.value)) continue;
    for (const specifier of item.specifiers) {
      if (specifier.type === 'ImportSpecifier') names.add((specifier.imported ?? specifier.local).value);
    }
  }
  names.delete('default');
  const exports = [...names].map((name) => `export { stub as ${JSON.stringify(name)} };`);
  return [
    'const get = (_, name) => (typeof name === "symbol" || name === "then" ? undefined : stub);',
    'const stub = new Proxy(function () {}, { apply: () => stub, construct: () => stub, get });',
    'export default stub;',
    ...exports,
  ].join('\n');
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';
}

/** By language: who finds out about a row's tests. */
export const PLANNERS: Readonly<Record<string, (request: PlanRequest) => Promise<Planned>>> = {
  python: async (request) => await planPytest(request, PYTHON),
  bash: async (request) => await planPytest(request, BASH),
  perl: async (request) => await planPytest(request, PERL),
  javascript: planNode,
  typescript: planNode,
};
