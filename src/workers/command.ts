/** How a worker process is started: by the stack, by `secpi worker`, by tests and measurements alike. */
import { join } from 'node:path';

/**
 * A worker's garbage is short-lived (requests, answers, rows). Left alone, V8 lets it grow to several times what is
 * alive before it looks; these keep a worker that asks a million rows below 400 MB, for about 0.1 ms of CPU a row.
 * Measured with `npm run --silent bench:llm:compare`.
 */
const HEAP_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=25'] as const;

/** Program arguments after `node`. No kinds: all of them. */
export function workerArguments(projectDir: string, kinds: readonly string[] = []): string[] {
  return [...HEAP_FLAGS, join(projectDir, 'src/workers/main.ts'), ...kinds];
}

/**
 * glibc gives every thread that allocates an arena of its own, and raises the size from which memory goes back to the
 * system each time something large is freed; Temporal's core, zstd and the file pool are many threads with large
 * buffers. Two arenas and fixed sizes keep what is freed from staying. Other C libraries ignore them.
 */
const MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/** What a worker's environment holds besides its settings. Node keeps there what it compiled: half of the next start. */
export function workerVariables(cacheDir: string): Readonly<Record<string, string>> {
  return { ...MALLOC, NODE_COMPILE_CACHE: join(cacheDir, 'compiled') };
}
