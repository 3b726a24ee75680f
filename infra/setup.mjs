/**
 * `node infra/setup.mjs [--quiet] [--json]`: installs what is missing. Reports on standard error (--quiet: only what
 * was done); with --json the places of everything go to standard output as one JSON line, which is how the `secpi`
 * command learns them.
 */
import { describeError } from './setup/errors.mjs';
import { setUp } from './setup/index.mjs';

try {
  const places = await setUp({
    env: process.env,
    out: process.stderr,
    quiet: process.argv.includes('--quiet'),
  });
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(places)}\n`);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 3;
}
