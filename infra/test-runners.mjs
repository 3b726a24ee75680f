/** Runs a test runner and counts its tests from the report it writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 */

/**
 * Runs a command with this terminal's output and no input; resolves with its exit code.
 * @param {string[]} command
 * @param {{cwd: string, env: NodeJS.ProcessEnv}} options
 * @returns {Promise<number>}
 */
export async function runInherited([program, ...args], { cwd, env }) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code] = await once(child, 'exit').catch(() => [1]);
  process.off('SIGINT', pass).off('SIGTERM', pass);
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
