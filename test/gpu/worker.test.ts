/** A GPU worker's process on a real Temporal server and a real store: how it starts, and all the ways it leaves. */
import proto from '@temporalio/proto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatOwner, ownerOf } from '../../src/services/processOwner.ts';
import { trainingHome, writeRecord } from '../../src/services/train/trainingHome.ts';
import { workerVariables, workerArguments } from '../../src/workers/command.ts';
import { findProcesses, isAlive, projectDir, startTestStack, until, type TestStack } from '../chain/stack.ts';
import { ec2, interruptionIn, startMetadataServer, type MetadataServer } from './metadataServer.ts';

const { TaskQueueType } = proto.temporal.api.enums.v1;

let stack: TestStack;
let metadata: MetadataServer;
const cloud: Parameters<typeof ec2>[0] = { interruption: null };

beforeAll(async () => {
  stack = await startTestStack();
  metadata = await startMetadataServer(ec2(cloud));
}, 120_000);
afterAll(async () => {
  await metadata?.close();
  await stack?.stop();
});

type Event = Record<string, unknown> & { event: string };

interface Started {
  readonly child: ChildProcess;
  readonly events: Event[];
  readonly ended: Promise<number | null>;
  /** What it said to people. */
  log(): string;
  said(event: string, withinMs?: number): Promise<Event>;
}

const started: Started[] = [];
afterEach(async () => {
  cloud.interruption = null;
  for (const { child, ended } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  }
});

function startWorker(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const own = { SECPI_PREEMPTION: 'auto', SECPI_METADATA_URL: metadata.url, SECPI_MIN_DISK_GB: '0' };
  const child = spawn(process.execPath, workerArguments(projectDir, args), {
    cwd: projectDir,
    env: { ...workerVariables(stack.env['SECPI_CACHE'] ?? ''), ...stack.env, ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code]: unknown[]) => code as number | null);
  const events: Event[] = [];
  let log = '';
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as Event));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const worker: Started = {
    child,
    events,
    ended,
    log: () => log,
    said: async (name, withinMs = 60_000) =>
      await until(
        `it says ${name}`,
        async () => {
          const found = events.find(({ event }) => event === name);
          if (found === undefined && child.exitCode !== null) throw new Error(`it ended:\n${log}`);
          return found;
        },
        withinMs,
      ),
  };
  started.push(worker);
  return worker;
}

describe('a GPU worker', () => {
  it('tells what its machine is before it is ready', async () => {
    const worker = startWorker(['gpu']);
    await worker.said('ready');
    expect(worker.events.map(({ event }) => event)).toEqual(['gpu', 'ready']);
    const [gpu] = worker.events;
    expect(gpu).toMatchObject({ queue: 'secpi-gpu', slots: 1, gpus: [], driver: null, unfit: [] });
    expect(gpu?.['storeUploadBytesPerSecond']).toBeGreaterThan(0);
    expect(worker.log()).toMatch(/GPU worker: no GPU is used: trains and generates on the CPU/);
    expect(worker.log()).toMatch(/GPU worker: .* of disk are free/);
  });

  it('tells it in one line for people beside other kinds', async () => {
    const worker = startWorker(['data', 'gpu']);
    await worker.said('ready');
    expect(worker.log().match(/GPU worker: /g)).toHaveLength(1);
  });

  it('serves the queue of its class, as many tasks at a time as it has slots', async () => {
    const worker = startWorker(['gpu', '--class', 'a100-spot', '--slots', '2']);
    await worker.said('ready');
    expect(worker.events[0]).toMatchObject({ queue: 'secpi-gpu-a100-spot', slots: 2 });
    const pollers = async (name: string): Promise<number> => {
      const queue = {
        namespace: 'default',
        taskQueue: { name },
        taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      };
      return (await stack.client.workflowService.describeTaskQueue(queue)).pollers?.length ?? 0;
    };
    await until('it polls', async () => (await pollers('secpi-gpu-a100-spot')) > 0);
  });

  it('leaves within seconds of a notice of the cloud, with nothing left running', async () => {
    const worker = startWorker(['gpu', 'data']);
    await worker.said('ready');
    await until('the cloud is asked', async () =>
      worker.log().includes('looking out for preemption notices of aws'),
    );
    cloud.interruption = interruptionIn(120);
    const toldMs = Date.now();
    const { from, reason, secondsLeft } = await worker.said('preemption', 15_000);
    expect({ from, reason }).toEqual({ from: 'aws', reason: 'terminate' });
    expect(secondsLeft).toBeGreaterThan(105);
    expect(await worker.ended).toBe(0);
    expect(Date.now() - toldMs).toBeLessThan(12_000);
    expect(worker.log()).toContain('aws takes this machine away (terminate)');
    expect(isAlive(worker.child.pid ?? 0)).toBe(false);
    expect(await findProcesses('secpi_trainer', stack.dir)).toEqual([]);
  }, 60_000);

  it('leaves on SIGTERM with code 0', async () => {
    const worker = startWorker(['gpu']);
    await worker.said('ready');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });

  it('does not wait for a metadata service that hangs', async () => {
    const hanging = await startMetadataServer(() => undefined);
    try {
      const worker = startWorker(['gpu'], { SECPI_METADATA_URL: hanging.url });
      await worker.said('ready');
      await until('it was probed', async () => hanging.requests.length > 0);
      await delay(3000);
      expect(worker.log()).not.toContain('preemption');
      expect(worker.child.exitCode).toBeNull();
    } finally {
      await hanging.close();
    }
  });

  it('ends by itself when nobody needs it, but not while a trainer lives on its host', async () => {
    const state = join(stack.dir, 'idle-host');
    const trainer = spawn('sleep', ['600'], { stdio: 'ignore' });
    const gone = once(trainer, 'exit');
    await writeRecord(trainingHome(join(state, 'trainings'), 'ab'.repeat(32)), {
      owner: formatOwner(ownerOf(trainer.pid ?? 0)),
      fingerprint: 'ab'.repeat(32),
      epoch: 1,
      configSha256: 'cd'.repeat(32),
      startedAt: new Date().toISOString(),
      gpu: null,
      files: { trainRows: 1, evalRows: 0 },
      resumedFromStep: 0,
      unsaved: null,
      damaged: [],
    });
    const worker = startWorker(['gpu', '--idle-exit', '0.05'], { SECPI_STATE: state });
    await worker.said('ready');
    await delay(6000);
    expect(worker.child.exitCode).toBeNull();
    trainer.kill('SIGKILL');
    await gone;
    await worker.said('idle', 20_000);
    expect(await worker.ended).toBe(0);
  });

  it.each([
    ['--idle-exit', ['gpu', 'data', '--idle-exit', '5'], {}],
    ['SECPI_PREEMPTION', ['gpu'], { SECPI_PREEMPTION: 'aws,hetzner' }],
    ['SECPI_GRACE_SECONDS', ['gpu'], { SECPI_GRACE_SECONDS: 'long' }],
  ])('refuses a wrong %s', async (name, args, env) => {
    const worker = startWorker(args, env);
    expect(await worker.ended).toBe(1);
    expect(worker.events).toEqual([]);
    expect(worker.log()).toContain(`RECIPE_INVALID: ${name}`);
  });
});

describe('a machine whose driver is too old', () => {
  let path = '';
  beforeAll(async () => {
    path = join(stack.dir, 'old-driver');
    await mkdir(path);
    const smi = join(path, 'nvidia-smi');
    const row = '0, GPU-1, NVIDIA A100, 81920, 81000, 470.57';
    await writeFile(
      smi,
      `#!/bin/sh\ncase "$1" in --query-gpu=*) echo "${row}";; *) echo "Driver Version: 470.57  CUDA Version: 11.4";; esac\n`,
    );
    await chmod(smi, 0o755);
    path = `${path}:${stack.env['PATH']}`;
  });

  it('is refused as a GPU worker, with its remedy', async () => {
    const worker = startWorker(['gpu'], { PATH: path });
    expect(await worker.ended).toBe(1);
    expect(worker.events.map(({ event }) => event)).toEqual(['gpu']);
    expect(worker.events[0]).toMatchObject({ driver: '470.57', driverCuda: '11.4' });
    expect(worker.log()).toMatch(
      /GPU_UNFIT: NVIDIA A100 is there, but the driver 470.57 runs CUDA 11.4.*Remedy: Update the driver/,
    );
  }, 90_000);

  it('still serves all kinds on its CPU, and says so', async () => {
    const worker = startWorker(['data', 'gpu'], { PATH: path });
    await worker.said('ready', 90_000);
    expect(worker.log()).toMatch(/WARN GPU worker: unfit: NVIDIA A100/);
    expect(worker.events[0]).toMatchObject({ slots: 1, gpus: [] });
  }, 120_000);

  it('is used on its CPU on purpose', async () => {
    const worker = startWorker(['gpu'], { PATH: path, CUDA_VISIBLE_DEVICES: '-1' });
    await worker.said('ready');
    expect(worker.events[0]).toMatchObject({ unfit: [] });
  });
});
