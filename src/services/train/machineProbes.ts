/** What the kernel and the GPU driver tell: kills for lack of memory, the use of a GPU, the work of a process. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MachineProbes } from './training.ts';

const NVIDIA_SMI_TIMEOUT_MS = 10_000;
/** `USER_HZ`, which Linux fixes for all it tells in ticks. */
const TICKS_PER_SECOND = 100;

export const systemProbes: MachineProbes = {
  async oomKills() {
    const [machine, group] = await Promise.all([
      counterIn('/proc/vmstat', 'oom_kill'),
      readOwnCgroup().then(async (dir) => await counterIn(join(dir, 'memory.events'), 'oom_kill')),
    ]);
    return machine + group;
  },

  async gpuUtilisation(index) {
    try {
      const { stdout } = await promisify(execFile)(
        'nvidia-smi',
        [`--id=${index}`, '--query-gpu=utilization.gpu', '--format=csv,noheader,nounits'],
        { timeout: NVIDIA_SMI_TIMEOUT_MS },
      );
      const percent = Number.parseInt(stdout, 10);
      return Number.isNaN(percent) ? null : percent;
    } catch {
      return null; // no driver, or one that hangs: then the process's own work is looked at
    }
  },
};

/** A line `name value` of a file of the kernel; 0 where there is none. */
async function counterIn(path: string, name: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? 0 : Number(value);
}

/** Of cgroup v2; version 1 counts in /proc/vmstat alone. */
async function readOwnCgroup(): Promise<string> {
  const text = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  return join('/sys/fs/cgroup', /^0::(.*)$/m.exec(text)?.[1] ?? '/');
}

/** Seconds of processor time that a process and its threads have used; null when it is gone or cannot be seen. */
export async function cpuSecondsOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // Fields 14 and 15, counted from the end of the command name (field 2), which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
