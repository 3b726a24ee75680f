/** Writes the files of a reply: their names are hostile, so nothing may land outside the folder or replace a file. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type WriteOutcome = { readonly written: true } | { readonly written: false; readonly reason: string };

/** Refusals that are the reply's doing. */
const NAME_ERRORS = ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EINVAL'];

/**
 * `folder` is made here and must not exist yet, so no link in it can lead elsewhere. All names are checked before the
 * first file is written.
 */
export async function writeCode(folder: string, files: ReadonlyMap<string, string>): Promise<WriteOutcome> {
  for (const path of files.keys()) {
    const problem = whyUnsafe(path);
    if (problem !== null)
      return { written: false, reason: `unsafePath: ${JSON.stringify(path.slice(0, 200))} ${problem}` };
  }
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder);
  try {
    for (const [path, code] of files) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, code, { flag: 'wx' });
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NAME_ERRORS.includes(String(error.code)))) throw error;
    return { written: false, reason: `unwritableFiles: ${String(error.code)}` };
  }
  return { written: true };
}

/** Null for a path that stays below its folder. */
export function whyUnsafe(path: string): string | null {
  if (path.includes('\0')) return 'holds a NUL character.';
  if (path.startsWith('/')) return 'is absolute.';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leaves its folder.';
  if (path === '' || path === '.') return 'names no file.';
  return null;
}
