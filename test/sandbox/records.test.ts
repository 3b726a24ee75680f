/** The recorded teacher's traces: the code of each passes its own functional and security checks in the sandbox. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createSandbox,
  TOOLCHAIN_INSIDE,
  type Sandbox,
  type Toolchain,
} from '../../src/services/sandbox/index.ts';
import { testToolchain } from './support.ts';

const RECORDS = join(import.meta.dirname, '../../records');
/** Checks by the name of their trace: `rec-021.1_test.py` judges `rec-021.1.md`, the second recorded answer. */
const CHECKS = /^(?<trace>.+?)(?<suffix>_test\.py|\.test\.(?:mjs|ts))$/;
const checks = (await readdir(join(RECORDS, 'checks'))).sort();
/** The file that a trace's code is put into, by the language of its block. */
const SOLUTIONS: Readonly<Record<string, string>> = {
  python: 'solution.py',
  javascript: 'solution.mjs',
  typescript: 'solution.ts',
  bash: 'solution.sh',
  perl: 'solution.pl',
};
/** Its recorded code is sound but for a wrong comparison, which only the row's own tests tell. */
const WRONG_RESULT = 'rec-114';

interface Row {
  readonly id: string;
  readonly tests: string;
}
const rowsWithTests = (await readFile(join(RECORDS, 'tasks.jsonl'), 'utf8'))
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Partial<Row> & { readonly id: string })
  .filter((row): row is Row => row.tests !== undefined);

let toolchain: Toolchain;
let sandbox: Sandbox;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

/** The last fenced block: the answer's code, and its language. */
async function codeOf(trace: string): Promise<{ file: string; code: string }> {
  const markdown = await readFile(join(RECORDS, 'traces', `${trace}.md`), 'utf8');
  const [, language, code] = [...markdown.matchAll(/^```(\w*)\n(.*?)^```/gms)].at(-1) ?? [];
  const file = SOLUTIONS[language ?? ''];
  if (code === undefined || file === undefined) throw new Error(`${trace}: no code of a known language`);
  return { file, code };
}

const NODE_LIMITS = { addressSpaceBytes: 4 * 1024 ** 3 };

interface ChecksResult {
  readonly output: string;
  readonly passed: number;
  readonly clean: boolean;
}

/** Runs `tests` beside the trace's code; `suffix` tells the test framework. */
async function runTests(trace: string, tests: string, suffix: string): Promise<ChecksResult> {
  await using work = await sandbox.createWorkDir();
  const python = suffix.endsWith('.py');
  const name = `checks${suffix}`;
  const { file, code } = await codeOf(trace);
  await writeFile(join(work.path, file), code);
  await writeFile(join(work.path, name), tests);
  const pytest = `import sys; sys.path[:0] = ["/work", "${TOOLCHAIN_INSIDE.site}"]; import pytest; sys.exit(pytest.main(sys.argv[1:]))`;
  const markers = ['-o', 'markers=functionality\nsecurity', '--strict-markers'];
  const result = await sandbox.run({
    command: python
      ? [
          toolchain.python,
          '-I',
          '-B',
          '-c',
          pytest,
          '-q',
          '-p',
          'no:cacheprovider',
          ...markers,
          `/work/${name}`,
        ]
      : [TOOLCHAIN_INSIDE.node, '--test', '--test-isolation=none', '--test-reporter=tap', `/work/${name}`],
    workDir: work.path,
    limits: { wallMs: 60_000, cpuSeconds: 60, ...(python ? {} : NODE_LIMITS) },
  });
  const output = `${result.outcome} ${result.exitCode ?? result.signalName}\n${result.stdout}${result.stderr}`;
  const passed = Number((python ? /(\d+) passed/ : /^# pass (\d+)/m).exec(result.stdout)?.[1] ?? 0);
  const none = python
    ? !/failed|error|skipped/.test(result.stdout)
    : /^# fail 0\n(?:.*\n)*?# skipped 0/m.test(result.stdout);
  return { output, passed, clean: result.outcome === 'exited' && result.exitCode === 0 && none };
}

describe.concurrent('the code of every recorded trace passes its checks', () => {
  it('there are enough, in five languages', async () => {
    expect(checks.length).toBeGreaterThanOrEqual(72);
    const files = await Promise.all(
      checks.map(async (name) => (await codeOf(CHECKS.exec(name)?.groups?.['trace'] ?? '')).file),
    );
    expect(new Set(files)).toEqual(new Set(Object.values(SOLUTIONS)));
  });

  it.each(checks)('%s', { timeout: 120_000 }, async (name) => {
    const { trace = '', suffix = '' } = CHECKS.exec(name)?.groups ?? {};
    const tests = await readFile(join(RECORDS, 'checks', name), 'utf8');
    const { output, passed, clean } = await runTests(trace, tests, suffix);
    expect({ clean, output }).toMatchObject({ clean: true });
    // Two functional checks and a security check at the least.
    expect(passed).toBeGreaterThanOrEqual(3);
  });
});

describe.concurrent('the tests that rows of the dataset carry', () => {
  it('there are enough', () => {
    expect(rowsWithTests.length).toBeGreaterThanOrEqual(15);
  });

  it.each(rowsWithTests)(
    'a sound recorded answer of $id passes them',
    { timeout: 120_000 },
    async ({ id, tests }) => {
      const sound = checks.flatMap((name) => CHECKS.exec(name)?.groups?.['trace'] ?? []);
      const traces = sound.filter((trace) => trace === id || trace.startsWith(`${id}.`));
      expect(traces).toHaveLength(1);
      const { clean, output, passed } = await runTests(traces[0] ?? '', tests, '_test.py');
      expect({ clean, output }).toMatchObject({ clean: true });
      expect(passed).toBeGreaterThanOrEqual(1);
    },
  );

  it('an answer that is wrong fails them', { timeout: 120_000 }, async () => {
    const tests = rowsWithTests.find(({ id }) => id === WRONG_RESULT)?.tests ?? '';
    const { output, clean } = await runTests(WRONG_RESULT, tests, '_test.py');
    expect(clean).toBe(false);
    expect(output).toMatch(/^exited 1\n/);
    expect(output).toContain('1 failed, 1 passed');
  });
});
