/** What the trainer's Python can use on this machine, by `python -m secpi_trainer probe`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { messageOf } from '../../contract/errors.ts';

/** Importing torch from a cold disk. */
const PROBE_TIMEOUT_MS = 180_000;
const LOOK_TIMEOUT_MS = 30_000;

export const probeSchema = z.object({
  torch: z.string(),
  /** Null where torch can use no GPU. */
  cuda: z.string().nullable(),
  gpus: z.array(
    z.object({
      /** Among the visible ones, in the order of their PCI addresses. */
      index: z.int().nonnegative(),
      name: z.string(),
      /** As nvidia-smi writes it. */
      uuid: z.string(),
      totalBytes: z.number(),
      freeBytes: z.number(),
      bf16: z.boolean(),
      computeCapability: z.string(),
      peakFlops: z.number().nullable(),
    }),
  ),
  /** Versions; null where they are not installed. */
  flashAttention: z.string().nullable(),
  bitsandbytes: z.string().nullable(),
  cpuThreads: z.number(),
  /** What is free, within the container's limit. */
  memoryBytes: z.number(),
});
export type TrainerProbe = z.infer<typeof probeSchema>;

/** The CUDA that a torch was built for, by its version (`2.9.0+cu128`: 12.8); null for one that was built without. */
export function builtForCuda(torch: string): string | null {
  const [, major, minor] = /\+cu(\d+)(\d)\b/.exec(torch) ?? [];
  return major === undefined || minor === undefined ? null : `${major}.${minor}`;
}

export interface TrainerPython {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Imports torch, which takes seconds. Rejects with what Python said last. */
export async function probeTrainer({ path, env }: TrainerPython): Promise<TrainerProbe> {
  const { stdout } = await runPython(path, ['-m', 'secpi_trainer', 'probe'], env, PROBE_TIMEOUT_MS);
  const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
  return probeSchema.parse(JSON.parse(line ?? 'null'));
}

/** The packages that this Python lacks for training; imports none of them. */
export async function missingPackages({ path, env }: TrainerPython): Promise<string[]> {
  const script = `import importlib.util as u; print(*[n for n in ("torch", "transformers", "peft") if u.find_spec(n) is None])`;
  const { stdout } = await runPython(path, ['-c', script], env, LOOK_TIMEOUT_MS);
  return stdout.split(/\s+/).filter((name) => name !== '');
}

async function runPython(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<{ stdout: string }> {
  try {
    return await promisify(execFile)(path, [...args], {
      env: { ...env, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' },
      timeout: timeoutMs,
      maxBuffer: 16 * 2 ** 20,
    });
  } catch (cause) {
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
    const last = stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(last === '' ? `it cannot be run (${messageOf(cause).split('\n')[0]})` : last, { cause });
  }
}
