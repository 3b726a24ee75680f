/**
 * `npm run --silent bench:sandbox`: what a sandbox costs over the bare process, from the call to the collected end. Both
 * are measured in turn in one run, on the same program, as a shell of one command; the figure is the difference of the
 * medians. Environment: ROUNDS (200), SECPI_CACHE.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, homedir, loadavg } from 'node:os';
import { join } from 'node:path';
import { createSandbox, stageToolchain } from '../../src/services/sandbox/index.ts';

const rounds = Number(process.env['ROUNDS'] ?? 200);
const cacheDir = process.env['SECPI_CACHE'] ?? join(homedir(), '.cache', 'secpi');
const PROGRAM = '/usr/bin/true';

const toolchain = await stageToolchain({ cacheDir });
const sandbox = await createSandbox({ toolchain });

async function bare(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(PROGRAM, [], { stdio: ['pipe', 'pipe', 'pipe'], env: {}, cwd: '/' });
  child.stdout.resume();
  child.stderr.resume();
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${PROGRAM} ended with ${code}`);
  return performance.now() - startedAt;
}

async function sandboxed(): Promise<number> {
  const startedAt = performance.now();
  const { outcome, exitCode } = await sandbox.run({ command: [PROGRAM] });
  if (outcome !== 'exited' || exitCode !== 0)
    throw new Error(`${PROGRAM} in the sandbox: ${outcome} ${exitCode}`);
  return performance.now() - startedAt;
}

const loadBefore = loadavg()[0] ?? 0;
const bareMs: number[] = [];
const sandboxMs: number[] = [];
for (let round = -5; round < rounds; round += 1) {
  // In turn, and each first as often as the other.
  const [first, second] = round % 2 === 0 ? [bare, sandboxed] : [sandboxed, bare];
  const times = { first: await first(), second: await second() };
  // The first rounds warm the caches.
  if (round < 0) continue;
  bareMs.push(round % 2 === 0 ? times.first : times.second);
  sandboxMs.push(round % 2 === 0 ? times.second : times.first);
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
const shape = (values: readonly number[]) => ({
  medianMs: round1(quantile(values, 0.5)),
  p90Ms: round1(quantile(values, 0.9)),
});
function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

process.stdout.write(
  `${JSON.stringify({
    rounds,
    bare: shape(bareMs),
    sandbox: shape(sandboxMs),
    overBareMs: round1(quantile(sandboxMs, 0.5) - quantile(bareMs, 0.5)),
    cores: availableParallelism(),
    loadBefore: round1(loadBefore),
    user: process.getuid?.() === 0 ? 'root' : 'ordinary',
  })}\n`,
);
