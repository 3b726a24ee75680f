/** When a sandbox is done, killed or orphaned, nothing of it lives on; slots are exclusive; starts are quick. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import { createSandbox, type Sandbox, type Toolchain } from '../../src/services/sandbox/index.ts';
import { acquireSlot, killLeftovers } from '../../src/services/sandbox/slots.ts';
import { processesWith, testToolchain, until } from './support.ts';

let toolchain: Toolchain;
let sandbox: Sandbox;

beforeAll(async () => {
  toolchain = await testToolchain();
  sandbox = await createSandbox({ toolchain });
}, 300_000);

const python = (source: string, ...rest: string[]): [string, ...string[]] => [
  toolchain.python,
  '-I',
  '-c',
  source,
  ...rest,
];

describe('nothing lives on', () => {
  it('a double-forked daemon dies with its sandbox', async () => {
    await using work = await sandbox.createWorkDir();
    const marker = `secpi-daemon-${process.pid}`;
    const source = `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2): os.close(fd)
        while True:
            with open("/work/beat", "a") as f: f.write("x")
            time.sleep(0.01)
    os._exit(0)
while not os.path.exists("/work/beat"): time.sleep(0.01)
`;
    const result = await sandbox.run({
      command: python(source, marker),
      workDir: work.path,
      workWritable: true,
    });
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(processesWith(marker)).toEqual([]);
    const before = (await stat(join(work.path, 'beat'))).size;
    expect(before).toBeGreaterThan(0);
    await sleep(200);
    expect((await stat(join(work.path, 'beat'))).size).toBe(before);
  });

  it('everything dies when the Node parent is killed with SIGKILL', async () => {
    const marker = `secpi-orphan-${process.pid}`;
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'killedParent.ts'), JSON.stringify(toolchain), marker],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    const inside = () => processesWith(marker).filter((pid) => pid !== child.pid);
    // bubblewrap twice, the loop and its daemon.
    expect(inside().length).toBeGreaterThanOrEqual(3);
    child.kill('SIGKILL');
    expect(await until(() => inside().length === 0, 5000)).toBe(true);
  });

  it('an abort kills everything, and an aborted signal starts nothing that lasts', async () => {
    const marker = `secpi-abort-${process.pid}`;
    const controller = new AbortController();
    const running = sandbox.run({
      command: python('import time; time.sleep(60)', marker),
      signal: controller.signal,
    });
    expect(await until(() => processesWith(marker).length > 0, 5000)).toBe(true);
    controller.abort();
    expect((await running).outcome).toBe('aborted');
    expect(processesWith(marker)).toEqual([]);
    expect((await sandbox.run({ command: python('pass'), signal: controller.signal })).outcome).toBe(
      'aborted',
    );
  });

  it('a kill at any moment of the start leaves nothing behind', async () => {
    const marker = `secpi-start-${process.pid}`;
    const one = async (delayMs: number) => {
      const controller = new AbortController();
      const running = sandbox.run({
        command: python('import time; time.sleep(60)', marker),
        signal: controller.signal,
      });
      await sleep(delayMs);
      const abortedAt = performance.now();
      controller.abort();
      expect((await running).outcome).toBe('aborted');
      return performance.now() - abortedAt;
    };
    // Where in its start each one is hit depends on the machine, so the moments are many.
    for (let round = 0; round < 40; round += 1) {
      const times = await Promise.all([0, 1, 2].map(async (n) => await one((round + n / 3) % 40)));
      expect(Math.max(...times)).toBeLessThan(10_000);
    }
    expect(processesWith(marker)).toEqual([]);
  });

  it('a disposed work folder is gone and its links were not followed', async () => {
    await using other = await sandbox.createWorkDir();
    const work = await sandbox.createWorkDir();
    const kept = {
      command: python('open("/work/kept", "w").write("kept")'),
      workDir: other.path,
      workWritable: true,
    };
    await sandbox.run(kept);
    const link = python(`import os; os.symlink(${JSON.stringify(other.path)}, "/work/link")`);
    await sandbox.run({ command: link, workDir: work.path, workWritable: true });
    await work.dispose();
    await expect(stat(work.path)).rejects.toThrow('ENOENT');
    expect(await readFile(join(other.path, 'kept'), 'utf8')).toBe('kept');
  });
});

describe('slots', () => {
  it.runIf(process.getuid?.() === 0)(
    'a slot uid in use is not given again, and comes back when free',
    async () => {
      const first = await acquireSlot();
      const second = await acquireSlot();
      expect(first.uid).toBeGreaterThanOrEqual(200_000);
      expect(second.uid).not.toBe(first.uid);
      await first.release();
      const third = await acquireSlot();
      expect(third.uid).toBe(first.uid);
      await second.release();
      await third.release();
    },
  );

  it.runIf(process.getuid?.() === 0)('what a killed worker left under a slot uid is ended', async () => {
    const uid = 204_095;
    const left = spawn('sleep', ['600'], { uid, gid: uid, stdio: 'ignore' });
    await once(left, 'spawn');
    killLeftovers(uid);
    const [, signal] = await once(left, 'exit');
    expect(signal).toBe('SIGKILL');
  });

  it('two sandboxes that share a folder each have the whole process limit', async () => {
    await using work = await sandbox.createWorkDir();
    const source = `
import os, time
started = 0
for _ in range(25):
    if os.fork() == 0:
        time.sleep(1); os._exit(0)
    started += 1
print(started)`;
    const request = {
      command: python(source),
      workDir: work.path,
      workWritable: true,
      limits: { processes: 30 },
    };
    const results = await Promise.all([sandbox.run(request), sandbox.run(request)]);
    expect(results.map((result) => result.stdout)).toEqual(['25\n', '25\n']);
  });

  it('a writable folder that is not ours is refused', async () => {
    const request = { command: python('pass'), workDir: '/tmp', workWritable: true };
    await expect(sandbox.run(request)).rejects.toThrow(TypeError);
  });
});

describe('what cannot start', () => {
  it('a missing bubblewrap is SANDBOX_UNAVAILABLE with a remedy', async () => {
    const broken = createSandbox({ toolchain: { ...toolchain, bwrapPath: '/nonexistent/bwrap' } });
    await expect(broken).rejects.toThrow(/SANDBOX_UNAVAILABLE: .*\/nonexistent\/bwrap.* Remedy: /);
    await expect(broken).rejects.toBeInstanceOf(SecpiError);
  });

  it('a bind that does not exist is failedToStart and says why', async () => {
    const result = await sandbox.run({
      command: python('pass'),
      readOnly: [{ host: '/nonexistent/folder', inside: '/data' }],
    });
    expect(result.outcome).toBe('failedToStart');
    expect(result.stderr).toContain('/nonexistent/folder');
  });
});

it('start overhead stays small', async () => {
  const times: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const startedAt = performance.now();
    expect((await sandbox.run({ command: ['/usr/bin/true'] })).exitCode).toBe(0);
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  console.log(
    `sandbox start to end: median ${times[10]?.toFixed(1)} ms, slowest ${times[19]?.toFixed(1)} ms`,
  );
  expect(times[10]).toBeLessThan(500);
});
