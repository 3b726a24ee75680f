/**
 * `npm test`: the set-up, then every test: vitest, which waits more than it computes, and beside it pytest of the trainer,
 * whose output follows. The last line counts them all:
 * "N passed, N failed". Fails when a test fails and when a runner did not run.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError } from './setup/errors.mjs';
import { setUp } from './setup/index.mjs';
import { findTestBrowser } from './setup/testBrowser.mjs';
import { formatTime } from './setup/report.mjs';
import { pytestCounts, runCommand, vitestCounts } from './test-runners.mjs';

const started = Date.now();
let places;
try {
  places = await setUp({ env: process.env, out: process.stdout });
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.stdout.write('0 passed, 1 failed\n');
  process.exit(3);
}

const reports = mkdtempSync(join(tmpdir(), 'secpi-tests-'));
const browser = findTestBrowser(process.env, (line) => process.stdout.write(`${line}\n`));
const env = {
  ...process.env,
  SECPI_CACHE: places.cache,
  SECPI_PYTHON: places.python,
  // Tests start many processes of the project: each reads what the first one compiled.
  NODE_COMPILE_CACHE: join(places.cache, 'compiled'),
  ...(browser === undefined ? {} : { CHROME_PATH: browser }),
};
const read = (/** @type {string} */ name) => readFileSync(join(reports, name), 'utf8');

const runners = [
  {
    name: 'vitest',
    command: [
      places.node,
      join(places.root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${join(reports, 'vitest.json')}`,
    ],
    cwd: places.root,
    counts: () => vitestCounts(read('vitest.json')),
  },
  {
    name: 'pytest',
    command: [places.python, '-m', 'pytest', `--junitxml=${join(reports, 'pytest.xml')}`],
    cwd: join(places.root, 'trainer'),
    log: join(reports, 'pytest.log'),
    counts: () => pytestCounts(read('pytest.xml')),
  },
];

const total = { passed: 0, failed: 0, skipped: 0 };
const runs = runners.map(async ({ command, cwd, log }) => await runCommand(command, { cwd, env, log }));
for (const [index, { name, log, counts }] of runners.entries()) {
  process.stdout.write(`\n— ${name}\n`);
  const code = await runs[index];
  if (log !== undefined) process.stdout.write(readFileSync(log, 'utf8'));
  const result = { passed: 0, failed: 0, skipped: 0 };
  try {
    Object.assign(result, counts());
  } catch (error) {
    process.stderr.write(
      `${name} left no report: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
  // A runner that ran nothing, or failed outside of a test, has failed.
  if (result.passed === 0 || (code !== 0 && result.failed === 0)) result.failed += 1;
  for (const key of /** @type {const} */ (['passed', 'failed', 'skipped'])) total[key] += result[key];
}
rmSync(reports, { recursive: true, force: true });
process.stdout.write(`\nTests and set-up took ${formatTime(Date.now() - started)}.\n`);
process.stdout.write(
  `${total.passed} passed, ${total.failed} failed${total.skipped === 0 ? '' : `, ${total.skipped} skipped`}\n`,
);
process.exitCode = total.failed === 0 ? 0 : 1;
