/** Scripts that run inside the sandbox, put where its slots can read them. */
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder, type Toolchain } from '../sandbox/index.ts';

/** Where a harness appears inside. */
export const HARNESS_INSIDE = '/harness';

/** A copy of the scripts in `source`, below the toolchain's root; its name tells its content. */
export async function stageHarness(
  { root }: Pick<Toolchain, 'root'>,
  kind: string,
  source: string,
): Promise<string> {
  const names = (await readdir(source)).filter((name) => /\.(?:py|mjs)$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(source, name)));
  const target = join(root, kind, hash.digest('hex').slice(0, 16));
  await publishFolder(target, async (draft) => {
    for (const name of names) await copyFile(join(source, name), join(draft, name));
  });
  return target;
}
