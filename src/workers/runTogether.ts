/** Workers of several kinds in one process: they end together. */
import type { Worker } from '@temporalio/worker';
import { log } from './log.ts';

export interface Together {
  /** Resolves once all have ended; rejects with the first failure, once all have ended. */
  readonly ended: Promise<void>;
  /** Hands over what runs, as SIGTERM does. */
  readonly leave: () => void;
}

/** When one fails the others hand over; `endAfterFailureMs` later the process is gone, whatever still holds it. */
export function runTogether(workers: readonly Worker[], endAfterFailureMs: number): Together {
  const failures: unknown[] = [];
  const leave = (): void => {
    for (const worker of workers) {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
  };
  const fail = (error: unknown, taskQueue: string): void => {
    failures.push(error);
    log('ERROR', `the worker of ${taskQueue} failed; this process ends`, { error });
    if (failures.length > 1) return;
    setTimeout(() => {
      log('ERROR', 'what still ran after the failure is cut off');
      process.exit(1);
    }, endAfterFailureMs);
    leave();
  };
  const all = Promise.all(
    workers.map(
      async (worker) => await worker.run().catch((error: unknown) => fail(error, worker.options.taskQueue)),
    ),
  );
  return {
    ended: all.then(() => {
      if (failures.length > 0) throw failures[0];
      return undefined;
    }),
    leave,
  };
}
