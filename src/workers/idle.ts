/** Ends a worker that nobody needs, so that an autoscaler's machine does not cost for nothing. */
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

export interface Activity {
  /** Put into the worker's options: sees every task from its first to its last line. */
  readonly interceptor: ActivityInterceptorsFactory;
  readonly running: number;
  /** Milliseconds since the last task ended, or since the start; 0 while one runs. */
  idleMs(): number;
}

export function countActivities(): Activity {
  let running = 0;
  let sinceMs = performance.now();
  return {
    interceptor: () => ({
      inbound: {
        execute: async (input, next) => {
          running += 1;
          try {
            return await next(input);
          } finally {
            running -= 1;
            sinceMs = performance.now();
          }
        },
      },
    }),
    get running() {
      return running;
    },
    idleMs: () => (running > 0 ? 0 : performance.now() - sinceMs),
  };
}

export interface IdleOptions {
  readonly activity: Activity;
  readonly afterMs: number;
  /** Whether a trainer lives on this host: the attempt that adopts it comes here. */
  readonly hasTrainer: () => Promise<boolean>;
  /** Called at most once. */
  readonly onIdle: () => void;
  readonly onTrouble: (error: unknown) => void;
}

const LOOK_EVERY_MS = 1000;

export function watchIdle({ activity, afterMs, hasTrainer, onIdle, onTrouble }: IdleOptions): {
  stop(): void;
} {
  let trainerSeenMs = Number.NEGATIVE_INFINITY;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || activity.idleMs() < afterMs) return;
    looking = true;
    try {
      if (await hasTrainer()) trainerSeenMs = performance.now();
      // A task may have come meanwhile.
      if (activity.idleMs() < afterMs || performance.now() - trainerSeenMs < afterMs) return;
      clearInterval(timer);
      onIdle();
    } catch (error) {
      onTrouble(error);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
