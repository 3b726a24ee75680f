/** The answers to a conditional write: met, refused, or try again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure, isAbsent } from './storeErrors.ts';

const MAX_CONFLICTS = 8;
const CONFLICT_WAIT_MS = 50;

export type ConditionalOutcome<T> = { readonly met: true; readonly value: T } | { readonly met: false };

/**
 * Sends a write with If-Match or If-None-Match. 412, and 404 under If-Match (nothing there to match), mean refused.
 * 409 means that another write of the same key was under way and says nothing about the condition: tried again
 * after 50, 100, 200 … ms (with jitter), at most 8 times, then thrown.
 */
export async function sendConditional<T>(send: () => Promise<T>): Promise<ConditionalOutcome<T>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { met: true, value: await send() };
    } catch (error) {
      const { status } = describeFailure(error);
      if (status === 412 || isAbsent(error)) return { met: false };
      if (status !== 409 || attempt === MAX_CONFLICTS) throw error;
      await sleep(CONFLICT_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}
