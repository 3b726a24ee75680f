/**
 * Runs a row's own `node:test` tests with the code they test, in one process. Arguments: `run`, `control` (every test
 * must fail) or `collect` (which tests there are), and the code's file. What is reported carries the key that came on stdin.
 */
import assert from 'node:assert';
import { readFileSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import test, { run } from 'node:test';
import { pathToFileURL } from 'node:url';

const [mode, solution] = process.argv.slice(2);
const TESTS = '/tests/solution.test.mjs';
const STAND_IN = pathToFileURL('/harness/node_test.mjs').href;
const SOLUTION = pathToFileURL(solution).href;
const OWN_NAME = /^(?:\.{0,2}\/)*solution(?:\.[cm]?[jt]s)?$/;

// Taken now: the code under test may replace what the modules export.
const key = readFileSync(0, 'utf8').trim();
const write = writeSync;
const { stringify } = JSON;
const exit = process.exit.bind(process);
const send = (message) => write(1, `${key} ${stringify(message)}\n`);
// What decides about the code is not the code's to change.
for (const judge of [assert, assert.strict, assert.AssertionError, assert.AssertionError.prototype, test])
  Object.freeze(judge);
process.stdout.write = process.stderr.write.bind(process.stderr);

registerHooks({
  resolve(specifier, context, next) {
    if (OWN_NAME.test(specifier)) return { url: SOLUTION, shortCircuit: true };
    if (mode !== 'run' && specifier === 'node:test' && context.parentURL?.startsWith(STAND_IN) !== true)
      return { url: `${STAND_IN}?${mode}`, shortCircuit: true };
    return next(specifier, context);
  },
});

const whyOf = (error) =>
  String(error?.cause?.message ?? error?.message ?? error)
    .split('\n')[0]
    .slice(0, 300);
let failed = 0;
for await (const { type, data } of run({ files: [TESTS], isolation: 'none', concurrency: 1 })) {
  if (type !== 'test:pass' && type !== 'test:fail') continue;
  const passed = type === 'test:pass';
  if (data.name === TESTS) {
    // The file itself: it fails where it cannot be imported.
    if (!passed) send({ type: 'broken', why: whyOf(data.details?.error) });
    continue;
  }
  // A suite stands for the tests within; what is skipped is not reported, and missed if it was expected.
  if (data.details?.type === 'suite' || data.skip !== undefined || data.todo !== undefined) continue;
  if (!passed) failed += 1;
  const why = passed ? '' : whyOf(data.details?.error);
  send({ type: 'test', id: data.name, outcome: passed ? 'passed' : 'failed', why });
}
send({ type: 'end', status: failed === 0 ? 0 : 1 });
exit(0);
