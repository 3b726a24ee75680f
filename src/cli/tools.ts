/** Where the set-up put the programs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { layout } from '../../infra/setup/layout.mjs';
import { StackError } from './stack/stackError.ts';

const toolsSchema = z.object({
  cache: z.string(),
  node: z.string(),
  python: z.string(),
  temporal: z.string(),
  versitygw: z.string(),
});
export type Tools = z.infer<typeof toolsSchema>;

/** The variable by which `npm start` hands over what its set-up found. */
export const toolsVariable = 'SECPI_SETUP';

/** Where the set-up puts the programs, whether they are there or not. */
export function locateTools(root: string, env: NodeJS.ProcessEnv): Tools {
  return toolsSchema.parse(layout(env, root));
}

/** Installs what is missing (its report goes to standard error) and returns the places. Quick when all is there. */
export function ensureTools(root: string, env: NodeJS.ProcessEnv): Tools {
  const given = env[toolsVariable];
  if (given !== undefined) return toolsSchema.parse(JSON.parse(given));
  const result = spawnSync(process.execPath, [join(root, 'infra/setup.mjs'), '--json', '--quiet'], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (result.status !== 0)
    throw new StackError(
      'The set-up did not finish.',
      'Mend what is named above and run the same command again.',
    );
  return toolsSchema.parse(JSON.parse(result.stdout));
}
