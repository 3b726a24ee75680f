/** Ends what an owner left running that was killed before it could. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, signalGroup, signalProcess, type ProcessIdentity } from './processIdentity.ts';

const GRACE_MS = 5000;
const POLL_MS = 50;

/** Returns how many were still running. Only processes whose start time matches are touched. */
export async function reap(processes: readonly ProcessIdentity[]): Promise<number> {
  const alive = processes.filter(isAlive);
  for (const { pid } of alive) signalProcess(pid, 'SIGTERM');
  const deadline = Date.now() + GRACE_MS;
  while (alive.some(isAlive) && Date.now() < deadline) await sleep(POLL_MS);
  for (const identity of alive) {
    if (isAlive(identity)) signalGroup(identity.pid, 'SIGKILL');
  }
  return alive.length;
}
