/** A wait that an abort ends, without a listener of its own on the signal. */
import { onAbort } from './abortHub.ts';

/** Throws the signal's reason. */
export async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  const release = onAbort(signal, reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    release();
  }
}
