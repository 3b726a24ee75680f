/** `secpi setup`: installs what is missing and says where it is. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { exitCodes } from '../exit.ts';
import { projectRoot } from '../settings.ts';

export function setup(): number {
  const { status } = spawnSync(process.execPath, [join(projectRoot, 'infra/setup.mjs')], {
    stdio: 'inherit',
  });
  return status === 0 ? exitCodes.ok : exitCodes.stackTrouble;
}
