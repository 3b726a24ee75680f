/** Looks at this machine as a GPU worker's: what it has, what it can take, and what makes it unfit. */
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { messageOf } from '../../contract/errors.ts';
import type { ObjectStore } from '../store/index.ts';
import { capacityOf, type Capacity } from './capacity.ts';
import { driverProblem, readNvidia, type Nvidia } from './nvidia.ts';
import {
  builtForCuda,
  missingPackages,
  probeTrainer,
  type TrainerProbe,
  type TrainerPython,
} from './probe.ts';
import { measureStore, type StoreSpeed } from './storeSpeed.ts';
import type { GpuDevice } from './types.ts';

export interface ExamineOptions {
  readonly python: TrainerPython;
  readonly stateDir: string;
  /** Null: the store's speed is not measured. */
  readonly objects: ObjectStore | null;
  /** Where nvidia-smi is looked for. */
  readonly path: string;
  /** CUDA_VISIBLE_DEVICES as the worker has it; "" and "-1" mean the CPU. */
  readonly visibleDevices: string | undefined;
  readonly minFreeDiskBytes: number;
  /** Imports torch on a machine without a GPU too, which takes seconds. */
  readonly thorough: boolean;
}

export interface UnfitReason {
  readonly problem: string;
  readonly remedy: string;
}

export interface ExaminedGpu extends GpuDevice {
  readonly freeBytes: number;
  readonly bf16: boolean;
  readonly computeCapability: string | null;
  readonly peakFlops: number | null;
}

export interface Examination {
  readonly nvidia: Nvidia;
  /** Null where torch was not imported, or cannot be. */
  readonly probe: TrainerProbe | null;
  /** Those that trainings can use; empty on a machine for the CPU. */
  readonly gpus: readonly ExaminedGpu[];
  readonly cpuThreads: number;
  /** Free, within the container's limit. */
  readonly memoryBytes: number;
  readonly freeDiskBytes: number;
  readonly store: StoreSpeed | null;
  readonly storeProblem: string | null;
  /** Of the GPU with the least free memory; null without one. */
  readonly takes: Capacity | null;
  readonly unfit: readonly UnfitReason[];
}

const SETUP_REMEDY =
  "Run `npx secpi setup`, or point SECPI_PYTHON at a Python that has the trainer's packages (trainer/requirements.lock).";
const CPU_REMEDY = 'or set CUDA_VISIBLE_DEVICES="" to train on the CPU on purpose.';

export async function examineHost(options: ExamineOptions): Promise<Examination> {
  const { stateDir, objects, path, visibleDevices, minFreeDiskBytes } = options;
  const onPurposeCpu = visibleDevices !== undefined && /^(-1)?$/.test(visibleDevices.trim());
  const nvidia: Nvidia = onPurposeCpu ? { state: 'absent' } : await readNvidia(path);
  const python = await examinePython(options, nvidia);
  const probe = 'probe' in python ? python.probe : null;
  const disk = await statfs(stateDir);
  const freeDiskBytes = disk.bavail * disk.bsize;
  // After the probe: neither is to slow the other.
  const speed = objects === null ? null : await measureStore(objects).catch(messageOf);
  const gpus = probe === null || onPurposeCpu ? [] : usableGpus(probe, nvidia, visibleDevices);
  const least = gpus.toSorted((a, b) => a.freeBytes - b.freeBytes)[0];
  return {
    nvidia,
    probe,
    gpus,
    cpuThreads: probe?.cpuThreads ?? availableParallelism(),
    memoryBytes: probe?.memoryBytes ?? process.availableMemory(),
    freeDiskBytes,
    store: typeof speed === 'string' ? null : speed,
    storeProblem: typeof speed === 'string' ? speed : null,
    takes: least === undefined ? null : capacityOf(least.freeBytes),
    unfit: [
      ...('unfit' in python ? [python.unfit] : []),
      ...(probe === null ? [] : gpuProblems(nvidia, probe)),
      ...(nvidia.state === 'broken'
        ? [
            {
              problem: `a GPU is there, but ${nvidia.problem}.`,
              remedy: `Mend the NVIDIA driver, ${CPU_REMEDY}`,
            },
          ]
        : []),
      ...(freeDiskBytes < minFreeDiskBytes
        ? [
            {
              problem: `${gigabytes(freeDiskBytes)} are free in ${stateDir}, less than ${gigabytes(minFreeDiskBytes)}.`,
              remedy: 'Free space, point SECPI_STATE at a larger disk, or lower SECPI_MIN_DISK_GB.',
            },
          ]
        : []),
    ],
  };
}

/** Torch is imported where its answer matters; elsewhere it is enough that the packages are there. */
async function examinePython(
  { python, thorough }: ExamineOptions,
  nvidia: Nvidia,
): Promise<{ readonly probe: TrainerProbe | null } | { readonly unfit: UnfitReason }> {
  try {
    if (thorough || nvidia.state !== 'absent') return { probe: await probeTrainer(python) };
    const missing = await missingPackages(python);
    if (missing.length === 0) return { probe: null };
    return { unfit: { problem: `${python.path} lacks ${missing.join(', ')}.`, remedy: SETUP_REMEDY } };
  } catch (error) {
    return {
      unfit: {
        problem: `the trainer does not start with ${python.path}: ${messageOf(error)}.`,
        remedy: SETUP_REMEDY,
      },
    };
  }
}

/** A GPU that the driver lists and torch does not see. */
function gpuProblems(nvidia: Nvidia, { torch, gpus }: TrainerProbe): UnfitReason[] {
  if (nvidia.state !== 'present' || gpus.length > 0) return [];
  const found = nvidia.gpus.map(({ name }) => name).join(', ');
  const cuda = builtForCuda(torch);
  if (cuda === null)
    return [
      {
        problem: `${found} is there, but torch ${torch} is built without CUDA.`,
        remedy: `Install torch with CUDA (\`npx secpi setup\` does), ${CPU_REMEDY}`,
      },
    ];
  const driver = driverProblem(nvidia.driver, nvidia.cuda, cuda);
  return [
    driver === null
      ? {
          problem: `${found} is there (driver ${nvidia.driver}), but torch ${torch} cannot use it.`,
          remedy: `Check CUDA_VISIBLE_DEVICES and the container runtime, ${CPU_REMEDY}`,
        }
      : { problem: `${found} is there, but ${driver}.`, remedy: `Update the driver, ${CPU_REMEDY}` },
  ];
}

/** Torch counts the visible devices, nvidia-smi all of them: `index` is nvidia-smi's where it knows the device. */
function usableGpus(
  { gpus }: TrainerProbe,
  nvidia: Nvidia,
  visibleDevices: string | undefined,
): ExaminedGpu[] {
  const listed = nvidia.state === 'present' ? nvidia.gpus : [];
  return gpus.map((gpu): ExaminedGpu => {
    const known = listed.find(({ uuid }) => uuid === gpu.uuid);
    if (known !== undefined) return { ...gpu, index: known.index };
    // A slice of a GPU (MIG), or a driver of another make: named as the worker's own variable names it.
    const entry = visibleDevices?.split(',')[gpu.index]?.trim();
    return { ...gpu, uuid: entry ?? String(gpu.index) };
  });
}

export function gigabytes(bytes: number): string {
  const count = bytes / 1e9;
  return `${count < 10 ? count.toFixed(1) : Math.round(count)} GB`;
}
