/**
 * The package as `npm install` would lay it out elsewhere: packed, unpacked below node_modules, with nothing beside it
 * but what package-lock.json says it needs at run time. A dependency that only tests bring would be missed here.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/settings.ts';
import { temporaryFolder } from '../../src/cli/testing/cli.ts';

const execute = promisify(execFile);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let installed: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', folder.path], {
    cwd: projectRoot,
    maxBuffer: 64 * 1024 ** 2,
  });
  // What the packing script prints stands before.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ filename: string }];
  const modules = join(folder.path, 'node_modules');
  installed = join(modules, 'secpi');
  await mkdir(installed, { recursive: true });
  await execute('tar', ['-xzf', join(folder.path, filename), '-C', installed, '--strip-components=1']);
  for (const name of await runtimePackages())
    await link(join(projectRoot, 'node_modules', name), join(modules, name));
  await link('../node/bin/node', join(modules, '.bin/node'));
}, 120_000);
afterAll(async () => await folder?.[Symbol.asyncDispose]());

/** Of the first level; what lies below one comes with it. */
async function runtimePackages(): Promise<string[]> {
  const lock: { packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }> } =
    JSON.parse(await readFile(join(projectRoot, 'package-lock.json'), 'utf8'));
  const there = new Set(await installedNames());
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .map(([path]) => path.slice('node_modules/'.length))
    .filter((name) => there.has(name));
}

async function installedNames(): Promise<string[]> {
  const modules = join(projectRoot, 'node_modules');
  const names = await readdir(modules);
  const scoped = names
    .filter((name) => name.startsWith('@'))
    .map(async (scope) => (await readdir(join(modules, scope))).map((name) => `${scope}/${name}`));
  return [...names, ...(await Promise.all(scoped)).flat()];
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

/** From a folder of the user's, with a home of its own. */
async function secpi(...args: string[]): Promise<{ code: number; output: string }> {
  const env = { PATH: process.env['PATH'], HOME: folder.path, SECPI_CACHE: join(folder.path, 'cache') };
  try {
    const { stdout, stderr } = await execute(join(installed, 'src/cli/launch.mjs'), args, {
      cwd: folder.path,
      env,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe('the installed package', () => {
  it('shows its help', async () => {
    const { code, output } = await secpi('--help');
    expect(code, output).toBe(0);
    expect(output).toMatch(/^Usage: secpi[\s\S]*^ {2}validate\b/m);
  });

  it('validates its own recipes, and refuses a wrong one as the clone does', async () => {
    const recipe = join(installed, 'dist/recipes/quick.json');
    expect(await secpi('validate', recipe)).toMatchObject({ code: 0 });
    const wrong = join(folder.path, 'wrong.json');
    await writeFile(wrong, (await readFile(recipe, 'utf8')).replace('"learningRate"', '"learnRate"'));
    expect(await secpi('validate', wrong)).toMatchObject({
      code: 2,
      output: expect.stringContaining('did you mean "learningRate"?'),
    });
  });

  it('keeps its state with the user, not in its own folder', async () => {
    const { code, output } = await secpi('down');
    expect(code, output).toBe(0);
    expect(output).toContain(`No stack runs on ${folder.path}/.local/state/secpi.`);
  });

  it('knows where its programs would be, and its Node by npm', async () => {
    const script = `
      const { layout } = await import(${JSON.stringify(join(installed, 'dist/infra/setup/layout.mjs'))});
      process.stdout.write(JSON.stringify(layout({})));`;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', script]);
    const places: unknown = JSON.parse(stdout);
    expect(places).toMatchObject({
      root: join(installed, 'dist'),
      node: join(folder.path, 'node_modules/.bin/node'),
    });
  });

  it('bundles its workflows, which every worker does first', async () => {
    const script = `
      const { bundleWorkflows } = await import(${JSON.stringify(join(installed, 'dist/src/workers/bundle.js'))});
      const { code } = await bundleWorkflows(${JSON.stringify(join(folder.path, 'cache'))});
      process.stdout.write(String(code.includes('filterDataset')));`;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder.path,
    });
    expect(stdout).toBe('true');
  }, 120_000);

  it('carries all that its programs read, and no tests', async () => {
    const files = await readdir(join(installed, 'dist'), { recursive: true });
    for (const name of [
      'docs/errors.md',
      'package.json',
      'infra/setup/stageSandbox.js',
      'infra/setup/versitygw/go.mod',
      'records/tasks.jsonl',
      'schemas/recipe.schema.json',
      'src/services/report/page.css',
      'src/services/report/page.client.js',
      'src/services/sandbox/toolchain.lock',
      'src/workers/main.js',
      'suite/suite.json',
      'trainer/pyproject.toml',
      'trainer/requirements.lock',
    ])
      expect(files).toContain(name);
    expect(
      files.filter((name) =>
        /^(?:src|infra)\/.*\.test\.|^trainer\/tests|__pycache__|^src\/.*\.ts$/.test(name),
      ),
    ).toEqual([]);
  });
});
