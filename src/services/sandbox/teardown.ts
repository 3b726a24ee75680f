/** The end of a sandbox's processes, as seen from outside: bubblewrap's monitor, and the init inside that holds the rest. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the kernel may take to tear down the process tree after the kill. */
const TEAR_DOWN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** The sandbox's init is gone only when the kernel has reaped every process of its namespace. */
export async function torndown(initPid: number | null): Promise<void> {
  if (initPid === null) return;
  const deadline = performance.now() + TEAR_DOWN_MS;
  while (performance.now() < deadline && isAlive(initPid)) await sleep(2);
}

/**
 * Once the monitor has ended, kills an init that it left behind: while bubblewrap starts there is a moment when its init
 * has left the monitor's group and does not yet die with it, so a kill just then misses it. Looks until stopped, since
 * the init may not have told its pid yet. Returns what stops it.
 */
export function huntOrphan(monitorPid: number | undefined, initPid: () => number | null): () => void {
  const look = () => {
    const pid = initPid();
    if (pid === null || monitorPid === undefined) return;
    const { name, state, parent } = statusOf(pid) ?? {};
    // Its pid may be another process's by now; an orphan is a bubblewrap with another parent than the monitor.
    if (name !== 'bwrap' || state === 'Z' || parent === monitorPid) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

function isAlive(pid: number): boolean {
  const state = statusOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Null when there is no such process. The name may hold anything, so fields are counted after its last parenthesis. */
function statusOf(pid: number): { name: string; state: string; parent: number } | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const end = stat.lastIndexOf(')');
  const [state = '', parent = ''] = stat.slice(end + 2).split(' ');
  return { name: stat.slice(stat.indexOf('(') + 1, end), state, parent: Number(parent) };
}
