/** Folders that a sandbox may write to: each is owned by a slot of its own and lies where that slot can reach it. */
import { chown, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join, relative, isAbsolute } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import { sweepAbandoned } from './abandoned.ts';
import { openFolder } from './publish.ts';
import { acquireSlot, type Slot } from './slots.ts';
import type { WorkDir } from './types.ts';
import { DISK_RESERVE_BYTES, freeBytes } from './watch.ts';

export class WorkDirs {
  readonly #root: string;
  readonly #live = new Map<string, Slot>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** `root` is readable by every slot; folders are made under `root/runs`. */
  static async open(root: string): Promise<WorkDirs> {
    const runs = join(root, 'runs');
    await openFolder(runs, 0o711);
    const dirs = new WorkDirs(await realpath(runs));
    await sweepAbandoned(dirs.#root);
    return dirs;
  }

  async create(): Promise<WorkDir> {
    const free = freeBytes(this.#root);
    if (free < 2 * DISK_RESERVE_BYTES) {
      throw new SecpiError(
        'SANDBOX_UNAVAILABLE',
        `${this.#root} has ${Math.round(free / 1024 ** 2)} MiB free.`,
        {
          remedy: `Free at least ${(2 * DISK_RESERVE_BYTES) / 1024 ** 2} MiB there.`,
        },
      );
    }
    const slot = await acquireSlot();
    const path = await mkdtemp(join(this.#root, `${process.pid}-`));
    if (slot.uid !== null) await chown(path, slot.uid, slot.uid);
    this.#live.set(path, slot);
    const dispose = async () => {
      if (!this.#live.delete(path)) return;
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      await slot.release();
    };
    return { path, dispose, [Symbol.asyncDispose]: dispose };
  }

  /** The slot that owns `path` or a folder above it; null for a folder that is not ours. */
  slotOf(path: string): Slot | null {
    for (const [folder, slot] of this.#live) {
      const inner = relative(folder, path);
      if (!inner.startsWith('..') && !isAbsolute(inner)) return slot;
    }
    return null;
  }
}
