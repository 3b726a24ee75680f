/**
 * Trainers that outlived their attempt: one whose training went on elsewhere, or whose run is over, is ended. What
 * nobody decides about, the lease ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../contract/errors.ts';
import { endTrainers, findTrainers } from './trainerProcess.ts';
import { listHomes, readRecord, removeHome, type TrainerRecord, type TrainingHome } from './trainingHome.ts';

const EVERY_MS = 5000;

export interface WatchOptions {
  readonly trainingsDir: string;
  /** Whether the run is closed, or an attempt under a higher epoch has taken the training over. */
  readonly isOver: (fingerprint: string, epoch: number) => Promise<boolean>;
  readonly everyMs?: number;
  readonly log: (message: string) => void;
}

export interface UnattendedWatch {
  /** Resolves when no look is under way any more. Trainers that run are left to the next worker. */
  stop(): Promise<void>;
}

/**
 * Looks at every home of this host. What is over at two looks in a row, under the same epoch, is ended and its home
 * removed: between them, an attempt of this host that has just taken the training over writes its epoch.
 */
export function watchUnattended({
  trainingsDir,
  isOver,
  everyMs = EVERY_MS,
  log,
}: WatchOptions): UnattendedWatch {
  const stopped = new AbortController();
  let suspects = new Set<string>();

  async function look(): Promise<void> {
    const over = new Set<string>();
    for (const home of await listHomes(trainingsDir)) {
      const record = await readRecord(home);
      if (record === null || !(await isOver(record.fingerprint, record.epoch))) continue;
      const suspect = `${home.dir} ${record.epoch}`;
      if (suspects.has(suspect)) await end(home, record);
      else over.add(suspect);
    }
    suspects = over;
  }

  async function end(home: TrainingHome, record: TrainerRecord): Promise<void> {
    const current = await readRecord(home);
    if (current?.epoch !== record.epoch) return;
    // By its command line, since its worker may have died before it could write it down.
    for (const { pid } of await findTrainers(home.configFile))
      log(
        `ends the trainer of ${record.fingerprint.slice(0, 12)} (process ${pid}): its training is over here`,
      );
    await endTrainers(home.configFile, current.owner);
    await removeHome(home);
  }

  const running = (async () => {
    while (!stopped.signal.aborted) {
      try {
        await look();
      } catch (error) {
        // The store or Temporal is gone: nothing is decided without them.
        log(`unattended trainers could not be looked at: ${messageOf(error)}`);
      }
      await pause(everyMs, stopped.signal);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // stopped meanwhile: the loop sees it
  }
}
