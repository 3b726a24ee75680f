/** Room for checkpoints on the disk where the trainer writes them. */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';

/** The one that the trainer writes next, beside the one that waits while another is uploaded. */
const CHECKPOINTS_OF_ROOM = 2;
/** As the trainer names a finished checkpoint; one that is being written ends otherwise. */
const CHECKPOINT_FOLDER = /^step-(\d{8,})$/u;
const MIB = 1024 ** 2;

/** Free bytes for this user on the file system of `dir`. */
export type FreeBytes = (dir: string) => Promise<number>;

export const freeBytesOf: FreeBytes = async (dir) => {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
};

/**
 * DISK_FULL, with figures, unless two checkpoints of `checkpointBytes` fit into the file system of `dir`. Called at
 * start, with the size of the newest published checkpoint.
 */
export async function requireRoom(
  dir: string,
  checkpointBytes: number,
  freeBytes: FreeBytes = freeBytesOf,
): Promise<void> {
  const free = await freeBytes(dir);
  if (free < CHECKPOINTS_OF_ROOM * checkpointBytes)
    throw new SecpiError('DISK_FULL', shortage(dir, free, checkpointBytes));
}

export interface DiskGuard {
  /**
   * Looks whether two more checkpoints like this one fit beside it. If not, frees what is not needed, and tells when
   * that does not suffice. DISK_FULL when nothing is left to free or to wait for, and not even the next one fits.
   */
  check(checkpoint: { readonly step: number; readonly dir: string }): Promise<void>;
}

export function createDiskGuard(options: {
  readonly freeBytes: FreeBytes;
  /** Folders of checkpoints that are still needed. */
  readonly inUse: () => readonly string[];
  /** Frees published folders, and with `evenWaiting` one that waits. True when no upload is left that would free more. */
  readonly release: (evenWaiting: boolean) => Promise<boolean>;
  readonly onShort: (message: string) => void;
}): DiskGuard {
  let isShort = false;
  let bytes = 0;
  return {
    async check({ step, dir }) {
      const place = dirname(dir);
      bytes = (await folderBytes(dir)) ?? bytes;
      const lacksRoomFor = async (checkpoints: number): Promise<boolean> =>
        (await options.freeBytes(place)) < checkpoints * bytes;
      if (!(await lacksRoomFor(CHECKPOINTS_OF_ROOM))) {
        isShort = false;
        return;
      }
      await deleteOlderCheckpoints(place, step, new Set(options.inUse()));
      let isAtRest = await options.release(false);
      if (await lacksRoomFor(1)) isAtRest = await options.release(true);
      const free = await options.freeBytes(place);
      if (free >= CHECKPOINTS_OF_ROOM * bytes) return;
      if (free < bytes && isAtRest) throw new SecpiError('DISK_FULL', shortage(place, free, bytes));
      if (!isShort) options.onShort(`${shortage(place, free, bytes)} A checkpoint may be skipped.`);
      isShort = true;
    },
  };
}

/** Bytes of the regular files under a folder; null when it is not there (any more). */
async function folderBytes(dir: string): Promise<number | null> {
  try {
    let bytes = 0;
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    return bytes;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Finished checkpoints of earlier steps that nobody uploads: an attempt before this one left them. */
async function deleteOlderCheckpoints(
  place: string,
  step: number,
  inUse: ReadonlySet<string>,
): Promise<void> {
  for (const name of await readdir(place)) {
    const digits = CHECKPOINT_FOLDER.exec(name)?.[1];
    const dir = join(place, name);
    if (digits === undefined || Number(digits) >= step || inUse.has(dir)) continue;
    await rm(dir, { recursive: true, force: true });
  }
}

function shortage(dir: string, freeBytes: number, checkpointBytes: number): string {
  const needed = CHECKPOINTS_OF_ROOM * checkpointBytes;
  return `${dir} has ${inMib(freeBytes)} free; two checkpoints of ${inMib(checkpointBytes)} need ${inMib(needed)}.`;
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
