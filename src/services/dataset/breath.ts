/** Long computations give the event loop its turn, so that heartbeats go out and cancellation is seen. */
import { setImmediate as turn } from 'node:timers/promises';

/** Well under the 200 ms that a loop may be held. */
const HOLD_AT_MOST_MS = 25;

export interface Breath {
  /** True when the loop has been held for long enough: then await `take()`. */
  due(): boolean;
  /** Throws the signal's reason once it is aborted. */
  take(): Promise<void>;
}

export function createBreath(signal?: AbortSignal): Breath {
  let lastMs = performance.now();
  return {
    due: () => performance.now() - lastMs > HOLD_AT_MOST_MS,
    async take() {
      signal?.throwIfAborted();
      await turn();
      lastMs = performance.now();
    },
  };
}
