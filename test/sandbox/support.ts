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

/** Empty for a zombie and for a process that has ended meanwhile. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return '';
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
