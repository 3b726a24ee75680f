/** The recorded teacher's traces: the code of each passes its own functional and security checks in the sandbox. */
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
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
const checks = (await readdir(join(RECORDS, 'checks')))
  .filter((name) => /(?:_test\.py|\.test\.mjs)$/.test(name))
  .sort();

let toolchain: Toolchain;
let sandbox: Sandbox;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

/** The last fenced block: the answer's code. */
function lastCodeBlock(markdown: string): string {
  const code = [...markdown.matchAll(/^```\w*\n(.*?)^```/gms)].at(-1)?.[1];
  if (code === undefined) throw new Error('no code block');
  return code;
}

const NODE_LIMITS = { addressSpaceBytes: 4 * 1024 ** 3 };

async function runChecks(name: string): Promise<{ output: string; passed: number; clean: boolean }> {
  await using work = await sandbox.createWorkDir();
  const python = name.endsWith('.py');
  const id = name.replace(/(?:_test\.py|\.test\.mjs)$/, '');
  const code = lastCodeBlock(await readFile(join(RECORDS, 'traces', `${id}.md`), 'utf8'));
  await writeFile(join(work.path, python ? 'solution.py' : 'solution.mjs'), code);
  await copyFile(join(RECORDS, 'checks', name), join(work.path, name));
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
  it('there are at least 30', () => {
    expect(checks.length).toBeGreaterThanOrEqual(30);
  });

  it.each(checks)('%s', { timeout: 120_000 }, async (name) => {
    const { output, passed, clean } = await runChecks(name);
    expect({ clean, output }).toMatchObject({ clean: true });
    // Two functional checks and a security check at the least.
    expect(passed).toBeGreaterThanOrEqual(3);
  });
});
