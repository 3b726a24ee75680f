/** `npm start`: the set-up, then the demo on Node 24. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describeError } from './setup/errors.mjs';
import { setUp } from './setup/index.mjs';

let places;
try {
  places = await setUp({ env: process.env, out: process.stdout });
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(3);
}
// The channel tells the command when this process is gone, so that nothing outlives it.
const child = spawn(places.node, [join(places.root, 'src/cli/main.ts'), 'demo', ...process.argv.slice(2)], {
  cwd: places.root,
  env: { ...process.env, SECPI_SETUP: JSON.stringify(places) },
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// On a terminal Ctrl-C reaches the command by itself; other signals are passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
