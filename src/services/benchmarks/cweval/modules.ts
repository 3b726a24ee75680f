/** What Python modules the checkout's tests and references import from elsewhere. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importedModules } from './requirements.ts';

/** Sorted; modules that lie beside the tests are left out, those of the standard library are not. */
export async function modulesOf(home: string): Promise<string[]> {
  const names = new Set<string>();
  const own = new Set<string>();
  for (const entry of await readdir(join(home, 'benchmark'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.py')) continue;
    own.add(entry.name.slice(0, -'.py'.length));
    if (!/_(?:test|task)\.py$/.test(entry.name) || !entry.name.startsWith('cwe_')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const name of importedModules(text)) names.add(name);
  }
  // The sandbox's toolchain brings it.
  own.add('pytest');
  return [...names].filter((name) => !own.has(name)).sort();
}
