/** Host folders in the sandbox, also those that its user cannot walk to; and programs without a limit of the address space. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { findProgramTools } from '../../src/services/benchmarks/program/tools.ts';
import { testToolchain } from './support.ts';

let toolchain: Toolchain;
let sandbox: Sandbox;
let closed: string;
let inner: string;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
  closed = await mkdtemp(join(tmpdir(), 'secpi-closed-'));
  inner = join(closed, 'deeper', 'data');
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, 'file'), 'hello\n');
  await writeFile(join(closed, 'secret'), 'secret\n');
  for (const folder of [inner, join(closed, 'deeper')]) await chmod(folder, 0o755);
  // As below /root: the folder itself is open, but nobody gets there.
  await chmod(closed, 0o700);
}, 300_000);

afterAll(async () => {
  await rm(closed, { recursive: true });
});

describe('a folder below one that lets nobody else in', () => {
  it('is shown read-only, and nothing of the folders above', async () => {
    const script =
      'cat /data/file; ls /data /data/..; touch /data/x; echo "$?"; cat /proc/self/mountinfo; tr "\\0" "\\n" < /proc/self/environ';
    const result = await sandbox.run({
      command: ['/bin/sh', '-c', script],
      readOnly: [{ host: inner, inside: '/data' }],
    });
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(result.stdout.split('\n').slice(0, 3)).toEqual(['hello', '/data:', 'file']);
    expect(result.stdout).not.toContain('secret');
    expect(result.stderr).toContain('Read-only file system');
    expect(await readdir(inner)).toEqual(['file']);
  });

  it('serves as /work, several at once, and leaves no mount behind', async () => {
    const request = {
      command: [
        '/bin/sh',
        '-c',
        'cat file /again/file /tmp/one-file; id -u; grep Cap /proc/self/status | cut -f2 | sort -u',
      ],
      workDir: inner,
      readOnly: [
        { host: inner, inside: '/again' },
        { host: join(inner, 'file'), inside: '/tmp/one-file' },
      ],
    } as const;
    const results = await Promise.all([1, 2, 3].map(async () => await sandbox.run(request)));
    for (const { stdout } of results) expect(stdout).toBe('hello\nhello\nhello\n65534\n0000000000000000\n');
    expect(await readdir(join(toolchain.root, 'stage'))).toEqual([]);
  });

  it('dies as quickly as any other on the wall limit', async () => {
    const result = await sandbox.run({
      command: ['/bin/sh', '-c', 'sleep 60'],
      readOnly: [{ host: inner, inside: '/data' }],
      limits: { wallMs: 500 },
    });
    expect(result.outcome).toBe('timeout');
    expect(result.wallMs).toBeLessThan(10_000);
  });
});

const PROGRAM = `
#include <stdlib.h>
#include <string.h>
int main(int count, char **words) {
    if (strcmp(words[1], "fill") == 0) for (;;) { char *p = malloc(1 << 20); if (!p) return 3; memset(p, 1, 1 << 20); }
    char *p = malloc(8);
    p[atoi(words[1])] = 1;
    free(p);
    return 0;
}
`;

describe('a program built with AddressSanitizer', async () => {
  const { gcc } = await findProgramTools(await testToolchain(), {});
  const hasSanitizers = gcc !== null && gcc.withoutSanitizers === null;

  it.runIf(hasSanitizers)('starts, reports, and is bounded by its resident memory', async () => {
    await using work = await sandbox.createWorkDir();
    await writeFile(join(work.path, 'a.c'), PROGRAM);
    const built = await sandbox.run({
      command: ['/usr/bin/gcc', '-g', '-fsanitize=address', '-o', 'a', 'a.c'],
      workDir: work.path,
      workWritable: true,
      limits: { wallMs: 60_000, addressSpaceBytes: 8 * 1024 ** 3 },
    });
    expect(built).toMatchObject({ outcome: 'exited', exitCode: 0 });
    const start = async (word: string, env: Record<string, string>) =>
      await sandbox.run({
        command: ['./a', word],
        workDir: work.path,
        env,
        limits: { wallMs: 60_000, addressSpaceBytes: null, memoryBytes: 256 * 1024 ** 2 },
      });
    const quiet = { ASAN_OPTIONS: 'detect_leaks=0' };
    expect(await start('7', quiet)).toMatchObject({ exitCode: 0, stderr: '' });
    const overflow = await start('8', quiet);
    expect(overflow.exitCode).toBe(1);
    expect(overflow.stderr).toContain('heap-buffer-overflow');
    // By the watch from outside, or earlier by the sanitizer itself.
    expect((await start('fill', quiet)).outcome).toBe('memoryLimit');
    const limited = await start('fill', { ASAN_OPTIONS: 'detect_leaks=0:hard_rss_limit_mb=64' });
    expect(limited.stderr).toContain('hard rss limit exhausted');
  });
});
