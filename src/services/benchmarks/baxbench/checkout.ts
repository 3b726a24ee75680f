/** The user's checkout of BaxBench: where it is, its commit, and a hash over what its verdicts depend on. */
import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SecpiError } from '../../../contract/errors.ts';
import { sha256Hex, sha256OfFile } from '../../store/hash.ts';

const run = promisify(execFile);

export interface Checkout {
  /** Absolute. */
  readonly home: string;
  /** Null where the folder is no git checkout. */
  readonly commit: string | null;
  /** Over all files of its `src/`: changes made by hand are told apart from the commit. */
  readonly sourceSha256: string;
}

/** @throws SecpiError BENCHMARK_UNAVAILABLE when it is missing or is something else. */
export async function openCheckout(home: string | undefined): Promise<Checkout> {
  if (home === undefined || home === '')
    throw new SecpiError('BENCHMARK_UNAVAILABLE', 'No checkout of BaxBench is named on this worker.', {
      field: 'BAXBENCH_HOME',
      remedy:
        'Clone BaxBench where this worker runs and set BAXBENCH_HOME to the folder (or evaluate.baxbench.home in the recipe).',
    });
  const folder = resolve(home);
  for (const file of ['src/main.py', 'src/env/__init__.py', 'src/scenarios/__init__.py'])
    if (!(await isFile(join(folder, file))))
      throw new SecpiError(
        'BENCHMARK_UNAVAILABLE',
        `${folder} is no checkout of BaxBench: ${file} is missing.`,
        {
          field: 'BAXBENCH_HOME',
          remedy: 'Set BAXBENCH_HOME to the top folder of a whole checkout.',
        },
      );
  return { home: folder, commit: await commitOf(folder), sourceSha256: await hashTree(join(folder, 'src')) };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return false;
    throw error;
  }
}

/** A folder that is not under git, or a machine without git, has no commit; the hash of the source stands for it. */
async function commitOf(home: string): Promise<string | null> {
  try {
    const { stdout } = await run('git', ['-c', `safe.directory=${home}`, '-C', home, 'rev-parse', 'HEAD'], {
      timeout: 10_000,
    });
    return stdout.trim();
  } catch {
    return null;
  }
}

async function hashTree(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const lines: string[] = [];
  for (const file of files) lines.push(`${(await sha256OfFile(file)).sha256} ${relative(folder, file)}\n`);
  return sha256Hex(lines.join(''));
}
