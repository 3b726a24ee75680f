/**
 * Descriptors that this process inherited without close-on-exec would reach the hostile program: a log pipe, a
 * job control socket, a file of the launcher. Node marks the low ones; a shell or CI runner may leave high ones.
 */
import { openSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC in /proc/self/fdinfo. */
const CLOSE_ON_EXEC = 0o2000000;

/** Descriptors from `first` on that a child would inherit. */
export function inheritableDescriptors(first: number): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd >= first && isInheritable(fd));
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch (error) {
    // The descriptor of readdir itself, closed by now.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Stdio entries from `first` on that put /dev/null in the place of every inheritable descriptor. */
export function coverInherited(first: number): ('ignore' | number)[] {
  const leaking = inheritableDescriptors(first);
  if (leaking.length === 0) return [];
  const nothing = openSync('/dev/null', 'r');
  const entries: ('ignore' | number)[] = Array.from(
    { length: Math.max(...leaking) - first + 1 },
    () => 'ignore',
  );
  for (const fd of leaking) entries[fd - first] = nothing;
  return entries;
}
