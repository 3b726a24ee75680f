/** `npm run verify`: types, lint, format, unit tests, and the trainer's lint. All are run; any failure fails it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layout } from './setup/layout.mjs';
import { formatTime } from './setup/report.mjs';
import { runCommand } from './test-runners.mjs';

const places = layout(process.env);
const bin = (/** @type {string} */ name) => join(places.root, 'node_modules/.bin', name);
const ruff = join(dirname(places.python), 'ruff');
const env = {
  ...process.env,
  SECPI_CACHE: places.cache,
  PATH: `${join(places.root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
};

/** Tests that start no server: pure code, within the minute. */
const UNIT_TESTS = [
  'src/contract',
  'src/services/llm',
  'src/services/dataset',
  'src/services/filter',
  'src/services/distill',
  'src/services/generate',
  'src/services/metrics',
  'src/services/benchmarks',
  'src/services/store',
  'src/services/report',
];

const checks = [
  { name: 'types', command: [bin('tsc'), '--noEmit', '-p', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware'] },
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  {
    name: 'unit tests',
    command: [
      places.node,
      join(places.root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=dot',
      '--passWithNoTests',
      ...UNIT_TESTS,
    ],
  },
  ...(existsSync(ruff)
    ? [
        { name: 'trainer lint', command: [ruff, 'check', 'trainer'] },
        { name: 'trainer format', command: [ruff, 'format', '--check', 'trainer'] },
      ]
    : []),
];

const started = Date.now();
const failed = [];
for (const { name, command } of checks) {
  const began = Date.now();
  const code = await runCommand(command, { cwd: places.root, env });
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} (${formatTime(Date.now() - began)})\n`);
  if (code !== 0) failed.push(name);
}
if (!existsSync(ruff))
  process.stdout.write('· trainer lint skipped: ruff is not installed (npm test installs it)\n');
process.stdout.write(
  `${failed.length === 0 ? 'All good' : `Failed: ${failed.join(', ')}`} in ${formatTime(Date.now() - started)}.\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
