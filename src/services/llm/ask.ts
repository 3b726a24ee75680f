/** One request until it is answered: waits, tries again, and knows when to give up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecpiError } from '../../contract/errors.ts';
import { backoffMs, type BackoffLimits } from './backoff.ts';
import type { ChatRequest, Completion } from './chat.ts';
import type { ChatClient } from './client.ts';
import { EndpointError } from './errors.ts';

export interface RetryLimits {
  /**
   * Broken attempts (500, cut or malformed answers, timeouts) after which a request is given up, if others are answered
   * meanwhile. At 15 % faults, 8 in a row happen once in four million.
   */
  readonly maxFaults: number;
  /** How long an endpoint may fail without one answer in between before the run gives up. */
  readonly patienceMs: number;
  readonly backoff: BackoffLimits;
}

export const DEFAULT_RETRY_LIMITS: RetryLimits = {
  maxFaults: 8,
  patienceMs: 5 * 60_000,
  backoff: { firstMs: 250, maxMs: 30_000 },
};

export type Asked =
  | { readonly kind: 'completed'; readonly completion: Completion; readonly attempt: number }
  /** This request will not be answered; others are. */
  | { readonly kind: 'refused'; readonly error: SecpiError };

/** The endpoint as the requests of one run see it: what one of them learns about it, all know. */
export class PatientEndpoint {
  readonly #client: Pick<ChatClient, 'complete'>;
  readonly #limits: RetryLimits;
  readonly #othersAreDone: () => boolean;
  #heardMs = Number.NEGATIVE_INFINITY;
  /** When the first failure after the last answer was. */
  #failingSinceMs: number | null = null;
  #sent = 0;

  /** `othersAreDone`: nearly all rows of the run have their answer, so that silence says nothing about the endpoint. */
  constructor(client: Pick<ChatClient, 'complete'>, limits: RetryLimits, othersAreDone: () => boolean) {
    this.#client = client;
    this.#limits = limits;
    this.#othersAreDone = othersAreDone;
  }

  /** Requests sent so far, those tried again included. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Throws when no other request would fare better: refused key or model, only failures for `patienceMs`, a wait
   * asked for that is longer than that. When the signal is aborted, throws its reason at once.
   */
  async ask(request: ChatRequest, signal: AbortSignal): Promise<Asked> {
    const startedMs = performance.now();
    let faults = 0;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        this.#sent += 1;
        const completion = await this.#client.complete({ ...request, signal });
        this.#heardMs = performance.now();
        this.#failingSinceMs = null;
        return { kind: 'completed', completion, attempt };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof EndpointError) || error.kind === 'endpoint') throw error;
        if (error.kind === 'request') return { kind: 'refused', error };
        if (error.kind === 'fault') faults += 1;
        if (faults >= this.#limits.maxFaults && this.#heardMs > startedMs) return { kind: 'refused', error };
        if (this.#patienceIsOver(error)) {
          if (error.kind === 'fault' && this.#othersAreDone()) return { kind: 'refused', error };
          throw error;
        }
        await this.#wait(error, attempt, signal);
      }
    }
  }

  #patienceIsOver(error: EndpointError): boolean {
    this.#failingSinceMs ??= performance.now();
    const { patienceMs } = this.#limits;
    return performance.now() - this.#failingSinceMs >= patienceMs || (error.retryAfterMs ?? 0) > patienceMs;
  }

  async #wait(error: EndpointError, failures: number, signal: AbortSignal): Promise<void> {
    const askedMs = error.retryAfterMs ?? 0;
    // Spread over a tenth more than was asked for, so that all who were refused do not come back in the same moment.
    const waitMs =
      askedMs > 0
        ? askedMs * (1 + Math.random() / 10)
        : backoffMs(failures, this.#limits.backoff, Math.random());
    try {
      await sleep(waitMs, undefined, { signal });
    } catch (interrupted) {
      signal.throwIfAborted();
      throw interrupted;
    }
  }
}
