import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../testing/cli.ts';
import { takeOwnership } from './ownership.ts';
import { freePort, isFree } from './ports.ts';
import { identify, isAlive } from './processIdentity.ts';
import { reap } from './reap.ts';
import { mendInterruptedUploads } from './s3Server.ts';
import { startService, type ServiceSpec } from './service.ts';

function specOf(folder: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: 'sample',
    command: ['/bin/sh', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    log: join(folder, 'sample.log'),
    onOwnerDeath: 'KILL',
    readyTimeoutMs: 2000,
    stopTimeoutMs: 500,
    isReady: async (logSince) => logSince().includes('ready'),
    ...more,
  };
}

describe('a service', () => {
  test('that ends before it serves is an error with the end of its log', async () => {
    await using folder = await temporaryFolder();
    const starting = startService(specOf(folder.path, 'echo the disk is full; exit 4'), () => undefined);
    await expect(starting).rejects.toThrow(/sample ended with code 4[\s\S]*the disk is full/);
  });

  test('that never serves is ended at its deadline', async () => {
    await using folder = await temporaryFolder();
    let pid = 0;
    const starting = startService(specOf(folder.path, 'sleep 60', { readyTimeoutMs: 300 }), (event) => {
      if (event.kind === 'started') pid = event.process.pid;
    });
    await expect(starting).rejects.toThrow('did not answer within 0.3 s');
    expect(identify(pid)).toBeNull();
  });

  test('is ended with its children, also when it ignores SIGTERM', async () => {
    await using folder = await temporaryFolder();
    const service = await startService(
      specOf(folder.path, "trap '' TERM; sleep 61 & echo $! >child; echo ready; wait; sleep 60"),
      () => undefined,
    );
    const child = identify(Number(readFileSync(join(folder.path, 'child'), 'utf8')));
    if (child === null) throw new Error('the child did not start');
    await service.stop();
    await expect.poll(() => isAlive(child)).toBe(false);
  });

  test('is not waited for when starting is given up', async () => {
    await using folder = await temporaryFolder();
    const controller = new AbortController();
    const starting = startService(
      specOf(folder.path, 'sleep 60'),
      () => controller.abort(new Error('given up')),
      controller.signal,
    );
    await expect(starting).rejects.toThrow('given up');
  });
});

describe('what a killed owner left', () => {
  test('is ended, and a later process with the same number is not', async () => {
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const identity = identify(child.pid ?? 0);
    if (identity === null) throw new Error('sleep did not start');
    expect(await reap([{ ...identity, startTime: 'another' }])).toBe(0);
    expect(isAlive(identity)).toBe(true);
    expect(await reap([identity])).toBe(1);
    await ended;
    expect(isAlive(identity)).toBe(false);
  });
});

describe('a state folder', () => {
  test('has one owner at a time', async () => {
    await using folder = await temporaryFolder();
    const lock = join(folder.path, 'lock');
    const first = await takeOwnership(lock);
    expect(first).not.toBeNull();
    expect(await takeOwnership(lock)).toBeNull();
    await first?.release();
    const second = await takeOwnership(lock);
    expect(second).not.toBeNull();
    await second?.release();
  });
});

describe('ports', () => {
  test('a taken port is passed over', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, () => resolve()));
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await isFree(taken)).toBe(false);
    expect(await freePort(taken)).toBeGreaterThan(taken);
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort(taken, new Set([taken]))).toBeGreaterThan(taken);
  });
});

describe('uploads that a killed S3 server was completing', () => {
  test('are renamed back, and nothing else is touched', async () => {
    await using folder = await temporaryFolder();
    const uploads = join(folder.path, 'bucket/.sgwtmp/multipart/0123abcd');
    await mkdir(join(uploads, 'one.inprogress'), { recursive: true });
    await mkdir(join(uploads, 'two'));
    await mkdir(join(folder.path, 'bucket/data'));
    await writeFile(join(folder.path, 'bucket/data/object.inprogress'), 'a real object');
    expect(await mendInterruptedUploads(folder.path)).toBe(1);
    expect(existsSync(join(uploads, 'one'))).toBe(true);
    expect(existsSync(join(uploads, 'two'))).toBe(true);
    expect(existsSync(join(folder.path, 'bucket/data/object.inprogress'))).toBe(true);
  });
});
