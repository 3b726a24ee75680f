/** The sandbox's toolchain, staged and tried by the service that uses it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from '../errors.mjs';
import { sizeBytes } from '../files.mjs';
import { isClone } from '../findNode.mjs';

const TIMEOUT_MS = 600_000;

/** @param {import('../layout.mjs').Layout} places */
export async function sandbox(places) {
  const script = join(places.root, `infra/setup/stageSandbox.${isClone(places.root) ? 'ts' : 'js'}`);
  const { stdout } = await promisify(execFile)(places.node, [script, places.cache, places.python], {
    cwd: places.root,
    timeout: TIMEOUT_MS,
  });
  const outcome = JSON.parse(stdout);
  if (outcome.problem !== undefined)
    throw new SetupError(`The sandbox does not work: ${outcome.problem}`, outcome.remedy);
  return { made: outcome.made, bytes: await sizeBytes(outcome.dir) };
}
