/** Tries again what a server that is away for a while refuses. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../llm/backoff.ts';

const LIMITS = { firstMs: 100, maxMs: 5000 } as const;

export interface Patience {
  /** Aborted: the last error is thrown. */
  readonly until: AbortSignal;
  readonly isFinal: (error: unknown) => boolean;
  readonly onTrouble: (error: unknown) => void;
}

export async function patiently<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (patience.isFinal(error) || patience.until.aborted) throw error;
      patience.onTrouble(error);
      try {
        await sleep(backoffMs(failures, LIMITS, Math.random()), undefined, { signal: patience.until });
      } catch {
        throw error;
      }
    }
  }
}
