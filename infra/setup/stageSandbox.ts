/**
 * `node infra/setup/stageSandbox.ts CACHE PYTHON`: stages the sandbox's toolchain and runs one program in it. One JSON
 * line on standard output: what was done, or what the machine lacks.
 */
import { SecpiError } from '../../src/contract/errors.ts';
import { createSandbox, stageToolchain } from '../../src/services/sandbox/index.ts';

const [cacheDir = '', python = ''] = process.argv.slice(2);
let made = false;
try {
  const toolchain = await stageToolchain({ cacheDir, pip: [python, '-m', 'pip'], log: () => (made = true) });
  await createSandbox({ toolchain });
  process.stdout.write(`${JSON.stringify({ made, dir: toolchain.dir })}\n`);
} catch (error) {
  if (!(error instanceof SecpiError)) throw error;
  process.stdout.write(`${JSON.stringify({ problem: error.problem, remedy: error.remedy })}\n`);
}
