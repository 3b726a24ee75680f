/** The set-up's steps on small real inputs: real pip, real npm, real kills. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');

interface Sandbox extends AsyncDisposable {
  readonly path: string;
  readonly places: Readonly<Record<string, unknown>> & {
    readonly root: string;
    readonly cache: string;
    readonly venv: string;
    readonly python: string;
    readonly node: string;
  };
}

/** A project folder and a cache of its own. */
async function makePlaces(): Promise<Sandbox> {
  const path = await mkdtemp(join(tmpdir(), 'secpi-setup-'));
  const project = join(path, 'project');
  const cache = join(path, 'cache');
  await mkdir(join(project, 'trainer'), { recursive: true });
  await mkdir(cache);
  const venv = join(cache, 'python');
  const places = {
    root: project,
    cache,
    logs: join(cache, 'logs'),
    state: join(project, '.secpi'),
    venv,
    python: join(venv, 'bin/python'),
    ownPython: true,
    node: join(project, 'node_modules/.bin/node'),
    temporal: join(venv, 'bin/temporal'),
    versitygw: join(cache, 'bin/versitygw'),
    model: join(cache, 'models/m'),
  };
  return {
    path,
    places,
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  };
}

/** One step in a process of its own; prints what it returns. */
function startStep(
  module: string,
  name: string,
  places: object,
): { child: ChildProcess; outcome: Promise<{ made: boolean; bytes?: number }> } {
  const url = new URL(module, import.meta.url).href;
  const code = `import { ${name} as step } from ${JSON.stringify(url)};
    try { console.log(JSON.stringify(await step(${JSON.stringify(places)}))); }
    catch (error) { console.log(JSON.stringify({ problem: error.message, remedy: error.remedy })); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, outcome: once(child, 'close').then(() => JSON.parse(text)) };
}

async function until(met: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!met()) {
    if (Date.now() > deadline) throw new Error('not in time');
    await sleep(20);
  }
}

/** The pinned lines of a few small packages, taken from the project's own lock. */
async function smallLock(...names: string[]): Promise<string> {
  const lock = await readFile(join(root, 'trainer/requirements.lock'), 'utf8');
  const entries = lock.split(/\n(?=[a-z])/);
  return `${entries.filter((entry) => names.some((name) => entry.startsWith(`${name}==`))).join('\n')}\n`;
}

describe('the Python environment', () => {
  test('is made anew after a kill in the middle, then left alone', async () => {
    await using made = await makePlaces();
    const { places } = made;
    await writeFile(
      join(places.root, 'trainer/requirements.lock'),
      await smallLock('iniconfig', 'packaging'),
    );

    const killed = startStep('steps/python.mjs', 'pythonEnvironment', places);
    killed.outcome.catch(() => undefined);
    await until(() => existsSync(join(places.venv, 'pyvenv.cfg')));
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    expect(existsSync(join(places.venv, '.secpi-setup.json'))).toBe(false);
    await writeFile(join(places.venv, 'left-by-the-killed-one'), '');

    expect(await startStep('steps/python.mjs', 'pythonEnvironment', places).outcome).toMatchObject({
      made: true,
    });
    expect(existsSync(join(places.venv, 'left-by-the-killed-one'))).toBe(false);
    expect(
      execFileSync(places.python, ['-c', 'import iniconfig, packaging; print("whole")'], {
        encoding: 'utf8',
      }),
    ).toBe('whole\n');
    expect(await startStep('steps/python.mjs', 'pythonEnvironment', places).outcome).toMatchObject({
      made: false,
    });

    await writeFile(join(places.root, 'trainer/requirements.lock'), await smallLock('iniconfig'));
    expect(await startStep('steps/python.mjs', 'pythonEnvironment', places).outcome).toMatchObject({
      made: true,
    });
  });

  test('a package whose hash does not fit is refused, and nothing looks finished', async () => {
    await using made = await makePlaces();
    await writeFile(
      join(made.places.root, 'trainer/requirements.lock'),
      `iniconfig==2.3.1 --hash=sha256:${'0'.repeat(64)}\n`,
    );
    const outcome = await startStep('steps/python.mjs', 'pythonEnvironment', made.places).outcome;
    expect(outcome).toMatchObject({
      problem: expect.stringMatching(/HASH|hash/),
      remedy: expect.stringContaining('Whole log'),
    });
    expect(existsSync(join(made.places.venv, '.secpi-setup.json'))).toBe(false);
  });

  test('a user’s own is used', async () => {
    await using made = await makePlaces();
    const own = { ...made.places, ownPython: false, python: process.execPath };
    expect(await startStep('steps/python.mjs', 'pythonEnvironment', own).outcome).toMatchObject({
      made: false,
    });
    expect(
      await startStep('steps/python.mjs', 'pythonEnvironment', { ...own, python: '/nowhere/python' }).outcome,
    ).toMatchObject({
      problem: expect.stringContaining('SECPI_PYTHON names /nowhere/python'),
    });
  });
});

describe('node packages', () => {
  /** A project whose package `node` is a stand-in that runs this Node. */
  async function project(folder: string): Promise<void> {
    await mkdir(join(folder, 'stand-in'));
    await writeFile(join(folder, 'stand-in/node.sh'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`);
    await chmod(join(folder, 'stand-in/node.sh'), 0o755);
    await writeFile(
      join(folder, 'stand-in/package.json'),
      '{"name":"node","version":"1.0.0","bin":{"node":"node.sh"}}',
    );
    await writeFile(
      join(folder, 'package.json'),
      '{"name":"p","version":"1.0.0","dependencies":{"node":"file:./stand-in"}}',
    );
    execFileSync('npm', ['install', '--package-lock-only', '--silent'], { cwd: folder });
  }

  test('are installed when the lock asks for it, and again after an interrupted install', async () => {
    await using made = await makePlaces();
    await project(made.places.root);
    const step = async (): Promise<{ made: boolean }> =>
      await startStep('steps/node-packages.mjs', 'nodePackages', made.places).outcome;
    expect(await step()).toMatchObject({ made: true });
    expect(await step()).toMatchObject({ made: false });
    // npm writes this file last: without it the tree is unfinished.
    await rm(join(made.places.root, 'node_modules/.package-lock.json'));
    expect(await step()).toMatchObject({ made: true });
    await rm(made.places.node);
    expect(await step()).toMatchObject({ made: true });
  });
});

describe('one set-up at a time', () => {
  function locker(lock: string, hold: string): ChildProcess {
    const code = `import { withLock } from ${JSON.stringify(new URL('lock.mjs', import.meta.url).href)};
      await withLock(${JSON.stringify(lock)}, async () => { console.log('in'); ${hold} }, () => console.log('waiting'));
      console.log('out');`;
    return spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  function outputOf(child: ChildProcess): () => string {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  }

  test('the second waits, says so, and goes on when the first was killed', async () => {
    await using made = await makePlaces();
    const lock = join(made.path, 'lock');
    const first = locker(lock, 'await new Promise((resolve) => setTimeout(resolve, 60_000));');
    const firstOutput = outputOf(first);
    await until(() => firstOutput().includes('in'));
    const second = locker(lock, '');
    const secondOutput = outputOf(second);
    await until(() => secondOutput().includes('waiting'));
    expect(secondOutput()).not.toContain('in\n');
    first.kill('SIGKILL');
    await once(second, 'close');
    expect(secondOutput()).toBe('waiting\nin\nout\n');
  });
});

describe('the whole set-up', () => {
  test('here has nothing to do, is quick, and tells where everything is', () => {
    const began = Date.now();
    const places = JSON.parse(
      execFileSync(process.execPath, [join(root, 'infra/setup.mjs'), '--json', '--quiet'], {
        encoding: 'utf8',
      }),
    );
    expect(Date.now() - began).toBeLessThan(10_000);
    const missing = ['node', 'python', 'temporal', 'versitygw', 'model'].filter(
      (name) => !existsSync(places[name]),
    );
    expect(missing).toEqual([]);
  });

  test('leaves no unfinished files in the cache', async () => {
    const { cache } = JSON.parse(
      execFileSync(process.execPath, [join(root, 'infra/setup.mjs'), '--json', '--quiet'], {
        encoding: 'utf8',
      }),
    );
    const names = [
      ...(await readdir(cache)),
      ...(await readdir(join(cache, 'bin'))),
      ...(await readdir(join(cache, 'models'))),
    ];
    expect(names.filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  test.each([['no Python', { PATH: '/nowhere' }, /Python 3\.11 or newer.*apt-get install python3/s]])(
    '%s is named with its remedy',
    (_, env, message) => {
      const code = `import { findPython } from ${JSON.stringify(new URL('steps/python.mjs', import.meta.url).href)};
      try { findPython(); } catch (error) { console.log(error.message, error.remedy); }`;
      expect(
        execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }),
      ).toMatch(message);
    },
  );
});
