/** The part of the row tests that runs inside, put where the slots of the sandbox can read it. */
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder, type Toolchain } from '../../sandbox/index.ts';

const SOURCE = join(import.meta.dirname, 'harness');

/** Where it appears inside. */
export const HARNESS_INSIDE = '/harness';

/** The staged folder; its name tells its content. */
export async function stageRowHarness({ root }: Toolchain): Promise<string> {
  const names = (await readdir(SOURCE)).filter((name) => /\.(?:py|mjs)$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(SOURCE, name)));
  const target = join(root, 'row-harness', hash.digest('hex').slice(0, 16));
  await publishFolder(target, async (draft) => {
    for (const name of names) await copyFile(join(SOURCE, name), join(draft, name));
  });
  return target;
}
