/** Runs a test runner and counts its tests from the report it writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 */

/**
 * Runs a command without input; resolves with its exit code. Its output goes to this terminal, or to the file `log`: then
 * it runs beside another one, and leaves the processor to that.
 * @param {string[]} command
 * @param {{cwd: string, env: NodeJS.ProcessEnv, log?: string}} options
 * @returns {Promise<number>}
 */
export async function runCommand([program, ...args], { cwd, env, log }) {
  const output = log === undefined ? /** @type {const} */ ('inherit') : openSync(log, 'a');
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output] });
  if (log !== undefined && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code] = await once(child, 'exit').catch(() => [1]);
  process.off('SIGINT', pass).off('SIGTERM', pass);
  if (typeof output === 'number') closeSync(output);
  return code ?? 1;
}

/**
 * @param {string} json vitest's JSON report
 * @returns {Counts}
 */
export function vitestCounts(json) {
  const report = JSON.parse(json);
  // A file that cannot be loaded fails as a suite without tests.
  const broken = report.testResults.filter(
    (/** @type {any} */ file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * @param {string} xml pytest's JUnit report
 * @returns {Counts}
 */
export function pytestCounts(xml) {
  const suite = /<testsuite\b[^>]*>/.exec(xml)?.[0];
  if (suite === undefined) throw new Error('no <testsuite> in the report');
  const count = (/** @type {string} */ name) =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? NaN);
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map(count);
  const failed = failures + errors;
  if (!Number.isInteger(tests - failed - skipped)) throw new Error(`the counts cannot be read: ${suite}`);
  return { passed: tests - failed - skipped, failed, skipped };
}
