/** What the sandbox tests share: the staged toolchain, and a look at the process table. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stageToolchain, type Toolchain } from '../../src/services/sandbox/index.ts';

export function testToolchain(): Promise<Toolchain> {
  const cacheDir = process.env['SECPI_CACHE'] ?? join(homedir(), '.cache', 'secpi');
  return stageToolchain({ cacheDir, log: console.log });
}

/** Host pids of living processes whose command line contains `marker`. */
export function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && commandLine(pid).includes(marker));
}

/** Those of them that `ancestor` started, or what it started. */
export function startedBy(ancestor: number, pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    let at = pid;
    while (at > 1 && at !== ancestor) at = parentOf(at);
    return at === ancestor;
  });
}

/** 0 for a process that has ended meanwhile. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}

/** Empty for a zombie and for a process that has ended meanwhile. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

export async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
