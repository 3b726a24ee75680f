/** Entry of a child process that grades in a warm host and waits to be killed. Argument: toolchain as JSON. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPytest } from '../../src/services/benchmarks/pytestRun/index.ts';
import { WarmHosts } from '../../src/services/benchmarks/warm/index.ts';
import { createSandbox, type Toolchain } from '../../src/services/sandbox/index.ts';

const toolchain = JSON.parse(process.argv[2] ?? '') as Toolchain;
const sandbox = await createSandbox({ toolchain });
const warm = new WarmHosts({ sandbox, toolchain, most: 1 });

async function grade(test: string): Promise<void> {
  await using work = await sandbox.createWorkDir();
  const folder = join(work.path, 'tests');
  await mkdir(folder, { mode: 0o755 });
  await writeFile(join(folder, 'a_test.py'), test, { mode: 0o644 });
  await runPytest({
    sandbox,
    toolchain,
    warm,
    folder,
    testFile: 'a_test.py',
    keyword: '',
    perTestSeconds: null,
    expected: { functional: ['test_it'], security: [] },
    inProcess: true,
    limits: { wallMs: 240_000 },
  });
}

const testOf = (body: string): string =>
  `import os, signal, time, pytest\n@pytest.mark.functionality\ndef test_it():\n    ${body}\n`;
await grade(testOf('pass'));
setTimeout(() => process.stdout.write('grading\n'), 1000);
// A daemon beside the test, deaf to what can be ignored.
await grade(
  testOf('signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork() or os.setsid(); time.sleep(200)'),
);
