/**
 * The workflow bundle. Making it takes several seconds of a core, so it is kept in the cache under the hash of all it
 * is made from: a worker that comes back after a preemption polls sooner.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { ifPresent } from '../services/processOwner.ts';
import { sha256Hex } from '../services/store/index.ts';

const sourceDir = fileURLToPath(new URL('..', import.meta.url));
/** Names every package that can be part of it, by its exact version. */
const packageFile = join(sourceDir, '../package.json');
const OLD_AFTER_MS = 7 * 24 * 3_600_000;

export async function bundleWorkflows(cacheDir: string): Promise<WorkflowBundle> {
  const dir = join(cacheDir, 'workflow-bundles');
  const path = join(dir, `${await hashOfSources()}.js`);
  const kept = await ifPresent(readFile(path, 'utf8'));
  if (kept !== null) return { code: kept };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(sourceDir, 'workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  await keep(dir, path, code);
  return { code };
}

/** Of all sources: a few milliseconds, and no list of what workflows import that could be wrong. */
async function hashOfSources(): Promise<string> {
  const names = (await readdir(sourceDir, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  const files = await Promise.all([...names.map((name) => join(sourceDir, name)), packageFile].map(hashOf));
  return sha256Hex(JSON.stringify(files));
}

const hashOf = async (path: string): Promise<string> => sha256Hex(await readFile(path));

/** It appears whole, for any number of workers that start at once. */
async function keep(dir: string, path: string, code: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) {
    const other = join(dir, name);
    const stats = await ifPresent(stat(other));
    if (stats !== null && Date.now() - stats.mtimeMs > OLD_AFTER_MS) await rm(other, { force: true });
  }
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, code);
  await rename(partial, path);
}
