/** `secpi setup`: installs what is missing and says where it is. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { exitCodes } from '../exit.ts';
import { projectRoot } from '../settings.ts';

export function setup(options: { readonly json: boolean }): number {
  const script = join(projectRoot, 'infra/setup.mjs');
  const { status } = spawnSync(process.execPath, [script, ...(options.json ? ['--json'] : [])], {
    stdio: 'inherit',
  });
  return status === 0 ? exitCodes.ok : exitCodes.stackTrouble;
}
