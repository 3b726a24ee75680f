/** Machines as their driver and their Python tell of them: real processes, whose words the test writes. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineHost, type ExamineOptions } from '../../src/services/gpu/examine.ts';
import { describeHost, eventOf, requireFit } from '../../src/services/gpu/report.ts';
import { pythonEnv } from '../../src/services/train/pythonEnv.ts';
import type { Store } from '../../src/services/store/index.ts';
import { projectDir, pythonPath } from '../chain/stack.ts';
import { startServer, type TestServer } from '../store/server.ts';

let server: TestServer;
let store: Store;
let dir: string;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  dir = await mkdtemp(join(tmpdir(), 'secpi-examine-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function program(name: string, script: string): Promise<string> {
  const folder = await mkdtemp(join(dir, 'bin-'));
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

/** An nvidia-smi that lists two GPUs; the second is in use. */
const driver = async (version: string, cuda: string): Promise<string> =>
  join(
    await program(
      'nvidia-smi',
      `case "$1" in
  --query-gpu=*) echo "0, GPU-aaaa, NVIDIA H200, 143771, 143000, ${version}"
                 echo "1, GPU-bbbb, NVIDIA H200, 143771, 40000, ${version}" ;;
  *) echo "| NVIDIA-SMI ${version}   Driver Version: ${version}   CUDA Version: ${cuda}   |" ;;
esac`,
    ),
    '..',
  );

const h200 = {
  name: 'NVIDIA H200',
  totalBytes: 150_754_820_096,
  bf16: true,
  computeCapability: '9.0',
  peakFlops: 989e12,
};
const gpu = (index: number, uuid: string, freeBytes: number): object => ({ ...h200, index, uuid, freeBytes });

/** A Python whose trainer tells this of itself. */
const python = async (probe: object): Promise<ExamineOptions['python']> => ({
  path: await program('python', `echo '${JSON.stringify(probe)}'`),
  env: {},
});
const software = {
  torch: '2.15.0+cu132',
  flashAttention: '2.8.3',
  bitsandbytes: '0.50.2',
  cpuThreads: 16,
  memoryBytes: 128e9,
};
const twoGpus = { ...software, cuda: '13.2', gpus: [gpu(0, 'GPU-aaaa', 150e9), gpu(1, 'GPU-bbbb', 42e9)] };

async function examine(options: Partial<ExamineOptions>): ReturnType<typeof examineHost> {
  await mkdir(join(dir, 'state'), { recursive: true });
  return await examineHost({
    python: { path: pythonPath(), env: pythonEnv(join(projectDir, 'trainer/src'), {}) },
    stateDir: join(dir, 'state'),
    objects: null,
    path: join(dir, 'no-programs'),
    visibleDevices: undefined,
    minFreeDiskBytes: 1,
    thorough: false,
    ...options,
  });
}

describe('a machine with GPUs', () => {
  it('is told with its driver, its memory and what it takes', async () => {
    const examination = await examine({
      path: await driver('580.95.05', '13.0'),
      python: await python(twoGpus),
    });
    expect(examination.unfit).toEqual([]);
    expect(examination.gpus.map(({ index, uuid }) => [index, uuid])).toEqual([
      [0, 'GPU-aaaa'],
      [1, 'GPU-bbbb'],
    ]);
    const lines = describeHost(examination);
    expect(lines[0]).toBe('2 GPUs (16 CPU threads, 128 GB of memory free)');
    expect(lines[1]).toBe(
      'GPU 0: NVIDIA H200, 150 GB of 151 GB free, compute capability 9.0, bf16, peak 989 TFLOP/s',
    );
    expect(lines[2]).toContain('42 GB of 151 GB free (another program uses it)');
    expect(lines).toContain('driver 580.95.05, which runs CUDA 13.0');
    expect(lines).toContain('torch 2.15.0+cu132, flash attention 2.8.3, bitsandbytes 0.50.2');
    // What the fuller of both GPUs takes: a task may get either.
    expect(lines.find((line) => line.startsWith('takes'))).toMatch(
      /^takes LoRA up to about 1\d B, QLoRA up to/,
    );
    expect(eventOf(examination)).toMatchObject({
      driver: '580.95.05',
      driverCuda: '13.0',
      torch: '2.15.0+cu132',
    });
  });

  it('counts the devices that the worker is shown as nvidia-smi does', async () => {
    const examination = await examine({
      path: await driver('580.95.05', '13.0'),
      visibleDevices: '1',
      python: await python({ ...twoGpus, gpus: [gpu(0, 'GPU-bbbb', 42e9)] }),
    });
    expect(examination.gpus.map(({ index, uuid }) => [index, uuid])).toEqual([[1, 'GPU-bbbb']]);
  });

  it('names a slice of a GPU as the worker’s own variable does', async () => {
    const examination = await examine({
      path: await driver('580.95.05', '13.0'),
      visibleDevices: 'MIG-1111,MIG-2222',
      python: await python({ ...twoGpus, gpus: [gpu(0, 'GPU-xxxx', 18e9), gpu(1, 'GPU-yyyy', 18e9)] }),
    });
    expect(examination.gpus.map(({ uuid }) => uuid)).toEqual(['MIG-1111', 'MIG-2222']);
  });

  it.each([
    [
      'a driver that is too old',
      '550.54.15',
      '12.4',
      software.torch,
      /550.54.15 runs CUDA 12.4.*580 or newer/,
      /Update the driver/,
    ],
    [
      'a torch without CUDA',
      '580.95.05',
      '13.0',
      '2.15.0+cpu',
      /built without CUDA/,
      /Install torch with CUDA/,
    ],
    [
      'a torch that sees no GPU',
      '580.95.05',
      '13.0',
      software.torch,
      /cannot use it/,
      /CUDA_VISIBLE_DEVICES/,
    ],
  ])('is unfit with %s', async (_, version, cuda, torch, problem, remedy) => {
    const examination = await examine({
      path: await driver(version, cuda),
      python: await python({ ...software, torch, cuda: null, gpus: [] }),
    });
    expect(examination.unfit).toHaveLength(1);
    expect(examination.unfit[0]?.problem).toMatch(problem);
    expect(examination.unfit[0]?.remedy).toMatch(remedy);
    expect(() => requireFit(examination)).toThrow(expect.objectContaining({ code: 'GPU_UNFIT' }));
  });

  it('is used as a CPU on purpose', async () => {
    const examination = await examine({ path: await driver('550.54.15', '12.4'), visibleDevices: '' });
    expect(examination.unfit).toEqual([]);
    expect(examination.gpus).toEqual([]);
  });
});

describe('a machine without a GPU', () => {
  it('is looked at without importing torch', async () => {
    const startMs = performance.now();
    const examination = await examine({});
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(examination).toMatchObject({ probe: null, gpus: [], takes: null, unfit: [] });
    expect(describeHost(examination)[0]).toMatch(
      /^no GPU is used: trains and generates on the CPU \(\d+ CPU threads/,
    );
  });

  it('is looked at closely when asked to, by the real trainer', async () => {
    const { probe, unfit } = await examine({ thorough: true });
    expect(unfit).toEqual([]);
    expect(probe?.torch).toMatch(/^\d+\.\d+/);
    expect(probe?.cpuThreads).toBeGreaterThan(0);
    expect(probe?.memoryBytes).toBeGreaterThan(1e8);
  }, 120_000);

  it.each([
    ['is not there', '/no/such/python', /does not start with \/no\/such\/python/],
    ['lacks the packages', '', /lacks torch, peft/],
  ])('is unfit when its Python %s', async (_, path, problem) => {
    const lacking = await program('python', 'echo torch peft');
    const { unfit } = await examine({ python: { path: path || lacking, env: {} } });
    expect(unfit).toEqual([
      { problem: expect.stringMatching(problem), remedy: expect.stringContaining('npx secpi setup') },
    ]);
  });

  it('is unfit with less free disk than is wanted', async () => {
    const examination = await examine({ minFreeDiskBytes: 1e18 });
    expect(() => requireFit(examination)).toThrow(
      /are free in .*state, less than 1000000000 GB.*SECPI_MIN_DISK_GB/,
    );
  });
});

describe('the store', () => {
  it('is measured in both directions, and nothing stays in it', async () => {
    const { store: speed } = await examine({ objects: store.objects });
    expect(speed?.uploadBytesPerSecond).toBeGreaterThan(2 ** 20);
    expect(speed?.downloadBytesPerSecond).toBeGreaterThan(2 ** 20);
    expect(await Array.fromAsync(store.objects.list('probe/'))).toEqual([]);
  });

  it('that does not answer takes a few seconds, is told, and makes no machine unfit', async () => {
    const other = await startServer();
    const gone = await other.openStore();
    await other.stop();
    const startMs = performance.now();
    const examination = await examine({ objects: gone.objects });
    expect(performance.now() - startMs).toBeLessThan(12_000);
    expect(examination.unfit).toEqual([]);
    expect(examination.store?.uploadBytesPerSecond ?? 0).toBe(0);
  });
});
