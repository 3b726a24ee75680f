import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishFolder } from './publish.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'secpi-publish-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

it('is complete or absent, readable by all, and made once', async () => {
  const target = join(root, 'deep', 'name');
  const fill = async (folder: string) => writeFile(join(folder, 'file'), 'content', { mode: 0o600 });
  expect(await publishFolder(target, fill)).toBe(true);
  expect(await publishFolder(target, fill)).toBe(false);
  expect((await stat(target)).mode & 0o777).toBe(0o755);
  expect((await stat(join(target, 'file'))).mode & 0o777).toBe(0o644);
});

it('leaves nothing when the filling fails', async () => {
  const failing = publishFolder(join(root, 'name'), () => Promise.reject(new Error('full')));
  await expect(failing).rejects.toThrow('full');
  expect(await readdir(root)).toEqual([]);
});

it('has one winner when many make it at once, and the losers see it whole', async () => {
  const target = join(root, 'name');
  const makers = Array.from({ length: 8 }, async (_, maker) => {
    const made = await publishFolder(target, async (folder) => {
      for (const half of ['a', 'b']) await writeFile(join(folder, half), String(maker));
    });
    return {
      made,
      content: (await readFile(join(target, 'a'), 'utf8')) + (await readFile(join(target, 'b'), 'utf8')),
    };
  });
  const results = await Promise.all(makers);
  expect(results.filter(({ made }) => made)).toHaveLength(1);
  expect(new Set(results.map(({ content }) => content)).size).toBe(1);
  expect(await readdir(root)).toEqual(['name']);
});
