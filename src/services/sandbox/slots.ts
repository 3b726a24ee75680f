/**
 * Slot uids: when the service runs as root, each sandbox gets an unprivileged uid that nobody else on the
 * machine uses at that time, so that two samples can never touch each other's processes and files.
 */
import { readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { SecpiError } from '../../contract/errors.ts';

const FIRST_SLOT_UID = 200_000;
const SLOTS = 4096;

export interface Slot {
  /** Null as an ordinary user: the sandbox then runs under the user's own uid. */
  readonly uid: number | null;
  release(): Promise<void>;
}

/** The lease is an abstract Unix socket: held across processes, and the kernel frees it when the holder dies. */
function tryLease(uid: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(`\0secpi-sandbox-slot-${uid}`, () => resolve(server));
  });
}

/** Slots that this process has held: it ends its own sandboxes. */
const swept = new Set<number>();

/**
 * A worker killed in the moment when it starts a sandbox can leave one behind (see teardown.ts), and the kernel frees
 * its lease. Who holds the slot next ends what still runs under its uid.
 */
export function killLeftovers(uid: number): void {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      if (statSync(`/proc/${pid}`).uid === uid) process.kill(pid, 'SIGKILL');
    } catch (error) {
      // Ended meanwhile.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error;
    }
  }
}

export async function acquireSlot(): Promise<Slot> {
  if (process.getuid?.() !== 0) return { uid: null, release: () => Promise.resolve() };
  for (let uid = FIRST_SLOT_UID; uid < FIRST_SLOT_UID + SLOTS; uid += 1) {
    const lease = await tryLease(uid);
    if (lease !== null) {
      if (!swept.has(uid)) killLeftovers(uid);
      swept.add(uid);
      return { uid, release: () => new Promise((resolve) => lease.close(() => resolve())) };
    }
  }
  throw new SecpiError('SANDBOX_UNAVAILABLE', `all ${SLOTS} slot uids from ${FIRST_SLOT_UID} are in use.`, {
    remedy: 'Lower the number of parallel sandboxes on this machine.',
  });
}
