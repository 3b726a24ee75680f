/** What Linux tells of a process. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of all threads so far; null when the process is gone. */
export function cpuSecondsOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most resident memory it ever had. */
export function peakMemoryMiBOf(pid: number): number | null {
  return kibibytes(pid, 'VmHWM');
}

export function memoryMiBOf(pid: number): number | null {
  return kibibytes(pid, 'VmRSS');
}

function kibibytes(pid: number, field: string): number | null {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`) ?? '');
  return found?.[1] === undefined ? null : Number(found[1]) / 1024;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended.
    return null;
  }
}
