/** What the NVIDIA driver tells of this machine, by its own command. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A driver whose GPU hangs never answers. */
const TIMEOUT_MS = 20_000;
const MIB = 2 ** 20;
/**
 * The oldest driver of each CUDA major version: with it and later ones, every minor version runs.
 * https://docs.nvidia.com/deploy/cuda-compatibility/
 */
const OLDEST_DRIVERS: Readonly<Record<number, number>> = { 11: 450, 12: 525, 13: 580 };

export interface NvidiaGpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export type Nvidia =
  | { readonly state: 'absent' }
  /** A GPU is there and its driver does not answer. */
  | { readonly state: 'broken'; readonly problem: string }
  | {
      readonly state: 'present';
      readonly driver: string;
      /** The newest CUDA that the driver runs, e.g. `12.4`; null when it does not tell. */
      readonly cuda: string | null;
      readonly gpus: readonly NvidiaGpu[];
    };

/** `path`: the PATH that nvidia-smi is looked for in. */
export async function readNvidia(path: string): Promise<Nvidia> {
  const smi = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('nvidia-smi', args, {
      env: { PATH: path, LC_ALL: 'C' },
      timeout: TIMEOUT_MS,
    });
    return stdout;
  };
  const hasDevice = (await readdir('/dev').catch(() => [])).some((name) => /^nvidia(\d+|ctl)$/.test(name));
  try {
    const table = await smi(
      '--query-gpu=index,uuid,name,memory.total,memory.free,driver_version',
      '--format=csv,noheader,nounits',
    );
    const gpus = parseGpus(table);
    const driver = table.split('\n')[0]?.split(', ').at(-1)?.trim() ?? '';
    return gpus.length === 0
      ? { state: 'absent' }
      : { state: 'present', driver, cuda: parseCudaVersion(await smi()), gpus };
  } catch (error) {
    // Without a device the command is only part of an image that is also used without a GPU.
    if (!hasDevice) return { state: 'absent' };
    return { state: 'broken', problem: problemOf(error) };
  }
}

/** Lines of `index, uuid, name, total MiB, free MiB, driver`. A memory that is not told (`[N/A]`) counts as 0. */
export function parseGpus(table: string): NvidiaGpu[] {
  return table.split('\n').flatMap((line): NvidiaGpu[] => {
    const [index, uuid, name, total, free] = line.split(', ').map((field) => field.trim());
    if (index === undefined || uuid === undefined || name === undefined || !/^\d+$/.test(index)) return [];
    const bytes = (mib: string | undefined): number => (Number(mib) || 0) * MIB;
    return [{ index: Number(index), uuid, name, totalBytes: bytes(total), freeBytes: bytes(free) }];
  });
}

/** From the head of nvidia-smi's table, which newer drivers spell "CUDA UMD Version". */
export function parseCudaVersion(head: string): string | null {
  return /CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)/.exec(head)?.[1] ?? null;
}

/** Why torch's CUDA does not run on the driver, or null. */
export function driverProblem(driver: string, driverCuda: string | null, torchCuda: string): string | null {
  const [wanted, runs] = [torchCuda, driverCuda].map((version) => Number.parseInt(version ?? '', 10));
  if (wanted === undefined || runs === undefined || !(runs < wanted)) return null;
  const oldest = OLDEST_DRIVERS[wanted];
  const needs = oldest === undefined ? 'a newer one' : `${oldest} or newer`;
  return `the driver ${driver} runs CUDA ${driverCuda ?? '?'}; this torch is built for CUDA ${torchCuda}, which needs ${needs}`;
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'nvidia-smi fails';
  if ('code' in error && error.code === 'ENOENT') return 'nvidia-smi is not there';
  if ('killed' in error && error.killed === true)
    return `nvidia-smi did not answer within ${TIMEOUT_MS / 1000} s`;
  const told =
    'stdout' in error && typeof error.stdout === 'string' ? error.stdout.trim().split('\n')[0] : '';
  return `nvidia-smi fails${told === undefined || told === '' ? '' : `: ${told}`}`;
}
