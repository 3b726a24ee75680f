import { chmod, chown, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stageToolchain } from './toolchain.ts';

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'secpi-toolchain-'));
  await chmod(cacheDir, 0o755);
});
afterEach(async () => {
  await rm(cacheDir, { recursive: true, force: true });
});

describe('staging the toolchain', () => {
  it('refuses with a remedy when pip does not run, and leaves no half folder', async () => {
    const staging = stageToolchain({ cacheDir, pip: ['/nonexistent/python', '-m', 'pip'] });
    await expect(staging).rejects.toThrow(
      /SANDBOX_UNAVAILABLE: pip could not install .* Remedy: Check that pip runs/,
    );
    expect(await readdir(join(cacheDir, 'sandbox', 'toolchains'))).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)(
    'as root does not use a cache that a slot uid cannot enter',
    async () => {
      await chmod(cacheDir, 0o700);
      await chown(cacheDir, 0, 0);
      // A pip that does nothing, so that only the choice of the folder is looked at.
      const staging = stageToolchain({ cacheDir, pip: ['/bin/false'] });
      await staging.then(
        ({ root }) => expect(root).toBe('/var/lib/secpi'),
        (error: unknown) => expect(String(error)).toContain('pip could not install'),
      );
      expect(await readdir(join(cacheDir, 'sandbox'))).toEqual([]);
      expect((await stat('/var/lib/secpi')).mode & 0o001).toBe(1);
    },
  );
});

it('every package of the lock has a hash', async () => {
  const lock = await readFile(join(import.meta.dirname, 'toolchain.lock'), 'utf8');
  const packages = lock
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^\w/.test(line));
  expect(packages.length).toBeGreaterThanOrEqual(6);
  for (const line of packages) expect(line).toMatch(/^[\w-]+==[\d.]+ +--hash=sha256:[0-9a-f]{64}/);
});
