/**
 * The memory of one gVisor kernel, watched from outside a few times a second: pages of the programs and files of its
 * tmpfs lie in one memory file, whose size tells exactly what is in use; its own heap holds processes and inodes.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

const LOOK_EVERY_MS = 100;
const MEMORY_FILE = /^\/memfd:runsc-memory /;

interface Kernel {
  readonly pid: number;
  /** The memory file, by way of the kernel's descriptor. */
  readonly file: string;
}

/** `pid` is runsc's; calls `exceed` once, until the returned function is called. */
export function watchMemory(pid: number, limitBytes: number, exceed: () => void): () => void {
  let kernel: Kernel | null = null;
  const timer = setInterval(() => {
    kernel ??= findKernel(pid);
    if (kernel === null || (ifThere(() => bytesOf(kernel)) ?? 0) <= limitBytes) return;
    clearInterval(timer);
    exceed();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function bytesOf(kernel: Kernel | null): number {
  if (kernel === null) return 0;
  const status = readFileSync(`/proc/${kernel.pid}/status`, 'latin1');
  const heapBytes = Number(/^RssAnon:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  return statSync(kernel.file).blocks * 512 + heapBytes;
}

/** The process below `pid` that holds the memory file first: its stubs, further below, inherit the descriptor. */
function findKernel(pid: number): Kernel | null {
  let generation = [pid];
  while (generation.length > 0) {
    for (const candidate of generation) {
      const file = ifThere(() => memoryFileOf(candidate)) ?? null;
      if (file !== null) return { pid: candidate, file };
    }
    generation = generation.flatMap((parent) => ifThere(() => childrenOf(parent)) ?? []);
  }
  return null;
}

function memoryFileOf(pid: number): string | null {
  const folder = `/proc/${pid}/fd`;
  const name = readdirSync(folder).find((fd) =>
    MEMORY_FILE.test(ifThere(() => readlinkSync(`${folder}/${fd}`)) ?? ''),
  );
  return name === undefined ? null : `${folder}/${name}`;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    (ifThere(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')) ?? '')
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

/** Undefined for what ended meanwhile, or is setting itself up and cannot be looked into yet. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
