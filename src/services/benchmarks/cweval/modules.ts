/** What the checkout's tests and references import from elsewhere. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importedModules, requiredPackages } from './requirements.ts';

export interface Imports {
  /** Of Python; modules that lie beside the tests are left out, those of the standard library are not. */
  readonly modules: readonly string[];
  /** Of Node; built-in ones included. */
  readonly packages: readonly string[];
}

/** Sorted. */
export async function readImports(home: string): Promise<Imports> {
  const entries = await readdir(join(home, 'benchmark'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const textsOf = async (pattern: RegExp): Promise<string[]> =>
    await Promise.all(
      files
        .filter(({ name }) => pattern.test(name))
        .map(async ({ parentPath, name }) => await readFile(join(parentPath, name), 'utf8')),
    );
  const [python, scripts] = await Promise.all([
    textsOf(/^cwe_.*_(?:test|task)\.py$/),
    textsOf(/^cwe_.*_task\.(?:js|ts)$/),
  ]);
  const own = new Set(
    files.flatMap(({ name }) => (name.endsWith('.py') ? [name.slice(0, -'.py'.length)] : [])),
  );
  // The sandbox's toolchain brings it.
  own.add('pytest');
  return {
    modules: distinct(python.flatMap(importedModules)).filter((name) => !own.has(name)),
    packages: distinct(scripts.flatMap(requiredPackages)),
  };
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
