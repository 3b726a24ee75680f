/**
 * The right to spend for a task. Temporal gives a task to another worker when heartbeats stop arriving; a worker that
 * was cut off, or stopped and woken, must not go on paying beside its successor. So what counts is the heartbeat that
 * was *acknowledged*: without one for `LEASE_MS`, nothing is sent until the next.
 */
import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { SecpiError } from '../contract/errors.ts';

/** Shorter than the heartbeat timeout (15 s) by more than a heartbeat may be on its way. */
const LEASE_MS = 9000;

/** On both clocks: one stands still while a virtual machine is suspended, the other may be set back. */
interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

function now(): Moment {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** By the clock that says more: a lease that ends too early costs one heartbeat, one that ends too late costs money. */
function elapsedMs(since: Moment): number {
  const { monotonicMs, wallMs } = now();
  return Math.max(monotonicMs - since.monotonicMs, wallMs - since.wallMs);
}

export class Lease {
  readonly #client: Pick<Client, 'activity'>;
  readonly #taskToken: Uint8Array;
  readonly #signal: AbortSignal;
  /** When the last acknowledged heartbeat was sent. None: a task may have lain in the socket of a frozen process. */
  #acknowledged: Moment | null = null;
  #lost: SecpiError | null = null;
  #renewing = false;
  #waiting: PromiseWithResolvers<void> | null = null;

  constructor(client: Pick<Client, 'activity'>, taskToken: Uint8Array, signal: AbortSignal) {
    this.#client = client;
    this.#taskToken = taskToken;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#waiting?.reject(signal.reason), { once: true });
  }

  /** Resolves at once while the lease holds, else with the next acknowledgement. Throws when the task is another's. */
  async held(): Promise<void> {
    for (;;) {
      this.#signal.throwIfAborted();
      if (this.#lost !== null) throw this.#lost;
      if (this.#acknowledged !== null && elapsedMs(this.#acknowledged) < LEASE_MS) return;
      this.#waiting ??= Promise.withResolvers();
      await this.#waiting.promise;
    }
  }

  /** One heartbeat whose answer is waited for; called by a timer, never rejects. */
  async renew(details: unknown): Promise<void> {
    if (this.#renewing || this.#lost !== null) return;
    this.#renewing = true;
    const sent = now();
    try {
      await this.#client.activity.heartbeat(this.#taskToken, details);
      this.#acknowledged = sent;
      this.#waiting?.resolve();
      this.#waiting = null;
    } catch (error) {
      // Anything else is the server being away, or a cancel that the SDK delivers by itself.
      if (!(error instanceof ActivityNotFoundError)) return;
      this.#lost = new SecpiError('PREEMPTED', 'the task was given to another worker.', { cause: error });
      this.#waiting?.reject(this.#lost);
    } finally {
      this.#renewing = false;
    }
  }
}
