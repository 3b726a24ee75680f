import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openScratch } from './scratch.ts';

let parent = '';
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'secpi-scratch-'));
});
afterAll(async () => await rm(parent, { recursive: true, force: true }));

it('sweeps what a killed process left, and nothing of a living one', async () => {
  const module = new URL('scratch.ts', import.meta.url).href;
  const code = `const { openScratch } = await import(${JSON.stringify(module)});
    const { dir } = await openScratch(${JSON.stringify(parent)});
    console.log(dir); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const theirs = line.toString().trim();
  const ours = await openScratch(parent);
  expect(existsSync(theirs)).toBe(true);

  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const next = await openScratch(parent);
  expect([existsSync(theirs), existsSync(ours.dir)]).toEqual([false, true]);
  await ours.remove();
  await next.remove();
  expect(await readdir(parent)).toEqual([]);
});

it('sweeps a folder of another boot when it is days old, and never what it did not name', async () => {
  const names = [
    'import-0123456789ab-1-1-00000000',
    'import-0123456789ab-1-2-00000000',
    'import-mine',
    'other',
  ];
  for (const name of names) await mkdir(join(parent, name));
  await writeFile(join(parent, 'import-file'), '');
  const daysAgo = new Date(Date.now() - 3 * 86_400_000);
  for (const name of [names[0] ?? '', 'other', 'import-mine', 'import-file'])
    await utimes(join(parent, name), daysAgo, daysAgo);
  const scratch = await openScratch(parent);
  await scratch.remove();
  expect(await readdir(parent)).toEqual([
    'import-0123456789ab-1-2-00000000',
    'import-file',
    'import-mine',
    'other',
  ]);
});
