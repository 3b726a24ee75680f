/** A model as one process sees it: its addresses, what they bear now, and one queue for all who ask. */
import type { SecpiError } from '../../contract/errors.ts';
import type { Endpoint } from '../../contract/recipe.ts';
import type { Reservation } from '../budget/types.ts';
import { Address } from './address.ts';
import { backoffMs } from './backoff.ts';
import type { ChatRequest, Completion } from './chat.ts';
import type { ChatClientOptions } from './client.ts';
import { EndpointError } from './errors.ts';
import { pause } from './pause.ts';
import type { Price } from './price.ts';
import { Router } from './router.ts';
import { takeTurn } from './turn.ts';

/** How an endpoint fares; told to people when it changes. */
export type EndpointState =
  | { readonly kind: 'up' }
  /** Told to slow down: fewer in flight, or a pace. */
  | { readonly kind: 'limited'; readonly inFlight: number; readonly perSecond: number | null }
  /** No address answers: everything waits, one probe at a time. `sinceMs`: milliseconds since 1970. */
  | { readonly kind: 'gone'; readonly sinceMs: number; readonly problem: string };

export interface AskOptions {
  readonly signal: AbortSignal;
  /** Awaited before every request goes out: a lost lease holds it. */
  readonly lease?: () => Promise<void>;
  /** Sets the worst case of one attempt aside before it goes out. A wait for money holds nobody else up. */
  readonly reserve?: () => Promise<Reservation>;
  /** A request goes out. */
  readonly onSend?: () => void;
  /** Makes the answer durable. Until then its request counts as in flight: so much may be lost with the process. */
  readonly keep?: (completed: Completed) => Promise<void>;
  /** Nearly all requests of the asker have their answer, so that silence says nothing about the endpoint. */
  readonly othersAreDone?: () => boolean;
}

export interface Completed {
  readonly kind: 'completed';
  readonly completion: Completion;
  /** From 1. */
  readonly attempt: number;
  /** Of the attempt that brought it, to be settled; null where nothing was reserved. */
  readonly reservation: Reservation | null;
  /** Of the address that answered, where it has its own. */
  readonly price: Price | undefined;
}

export type Asked =
  | Completed
  /** This request will not be answered; others are. */
  | { readonly kind: 'refused'; readonly error: SecpiError };

export interface ModelEndpoint {
  readonly concurrency: number;
  /** Of addresses that have their own. */
  readonly prices: readonly Price[];
  /**
   * One request until it is answered or given up. Shares limits with all others of this process. Throws when no other
   * request would fare better: a refused key or model; ENDPOINT_UNREACHABLE after `maxOutageMs` without any address; a
   * Retry-After longer than that. When the signal is aborted, throws its reason at once.
   */
  ask(request: ChatRequest, options: AskOptions): Promise<Asked>;
  state(): EndpointState;
  close(): Promise<void>;
}

export interface RetryLimits {
  /**
   * Broken attempts (500, cut or malformed answers, timeouts) after which a request is given up, if others are answered
   * meanwhile. At 15 % faults, 8 in a row happen once in four million.
   */
  readonly maxFaults: number;
  /** How long a request that only breaks is tried when all others of its asker are done and nobody can tell. */
  readonly patienceMs: number;
  /** The least and the longest wait after a failure, where none was asked for; the first is a round trip at least. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
}

export const DEFAULT_RETRY_LIMITS: RetryLimits = {
  maxFaults: 8,
  patienceMs: 60_000,
  backoff: { firstMs: 50, maxMs: 4_000 },
};

/** Waits that are as short as the first: where one attempt in seven breaks, two in a row are nothing to back away from. */
const SHORT_WAITS = 2;

export interface EndpointAddress extends Pick<
  ChatClientOptions,
  'baseUrl' | 'apiKey' | 'apiKeyEnv' | 'model'
> {
  readonly price?: Price;
}

export interface EndpointOptions {
  /** The first that answers is asked. */
  readonly addresses: readonly EndpointAddress[];
  /** Requests in flight at an address, at most. */
  readonly concurrency: number;
  readonly limits?: Partial<Endpoint['limits']>;
  /** Wall time of one request. */
  readonly timeoutMs: number;
  readonly tokenLimitField?: ChatClientOptions['tokenLimitField'];
  /** How long asks wait while no address answers. */
  readonly maxOutageMs: number;
  /** Path of the endpoint within the recipe, for errors. */
  readonly field?: string;
  readonly onState?: (state: EndpointState) => void;
  readonly retry?: Partial<RetryLimits>;
}

export function openEndpoint(options: EndpointOptions): ModelEndpoint {
  const { concurrency, timeoutMs, tokenLimitField, maxOutageMs, field, limits = {} } = options;
  const addresses = options.addresses.map(
    (address) =>
      new Address({
        ...address,
        timeoutMs,
        maxOutageMs,
        limits: { concurrency, ...limits },
        ...(tokenLimitField === undefined ? {} : { tokenLimitField }),
        ...(field === undefined ? {} : { field }),
      }),
  );
  return new OpenEndpoint(addresses, concurrency, maxOutageMs, options);
}

class OpenEndpoint implements ModelEndpoint {
  readonly concurrency: number;
  readonly prices: readonly Price[];
  readonly #router: Router;
  readonly #retry: RetryLimits;
  readonly #maxOutageMs: number;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(
    addresses: readonly Address[],
    concurrency: number,
    maxOutageMs: number,
    { onState, retry }: Pick<EndpointOptions, 'onState' | 'retry'>,
  ) {
    this.concurrency = concurrency;
    this.prices = addresses.flatMap(({ price }) => price ?? []);
    this.#maxOutageMs = maxOutageMs;
    this.#retry = { ...DEFAULT_RETRY_LIMITS, ...retry };
    this.#router = new Router(addresses, maxOutageMs, onState ?? (() => undefined));
  }

  async ask(request: ChatRequest, options: AskOptions): Promise<Asked> {
    const { signal } = options;
    const startedMs = performance.now();
    let faults = 0;
    let hasProbed = false;
    for (let attempt = 1; ; attempt += 1) {
      const past = { isRetry: attempt > 1, hasProbed };
      const { address, turn, reservation } = await takeTurn(this.#router, request, past, options);
      hasProbed ||= turn.isProbe;
      const completedBy = (completion: Completion): Completed => ({
        kind: 'completed',
        completion,
        attempt,
        reservation,
        price: address.price,
      });
      let isAnswered = false;
      try {
        options.onSend?.();
        const completion = await address.send(request, turn, signal, async (answer) => {
          isAnswered = true;
          this.#answeredMs = performance.now();
          await options.keep?.(completedBy(answer));
        });
        this.#router.update();
        return completedBy(completion);
      } catch (error) {
        this.#router.update();
        // Once it is answered, its reservation is the asker's.
        if (isAnswered) throw error;
        if (!(error instanceof EndpointError)) {
          reservation?.abandon();
          throw error;
        }
        if (error.mayBeCharged) reservation?.abandon();
        else reservation?.release();
        if (error.kind === 'endpoint') throw error;
        if (error.kind === 'request') return { kind: 'refused', error };
        if (error.kind === 'fault') faults += 1;
        if (this.#isGivenUp(faults, startedMs, options)) return { kind: 'refused', error };
        this.#throwIfHopeless(error, address);
        await this.#wait(error, attempt, address, signal);
      }
    }
  }

  #isGivenUp(faults: number, startedMs: number, { othersAreDone }: AskOptions): boolean {
    if (faults < this.#retry.maxFaults) return false;
    if (this.#answeredMs > startedMs) return true;
    const triedMs = performance.now() - startedMs;
    return triedMs >= this.#retry.patienceMs && othersAreDone?.() === true;
  }

  #throwIfHopeless(error: EndpointError, address: Address): void {
    const longestMs = Math.max(error.retryAfterMs ?? 0, address.refusedForMs(performance.now()));
    if (longestMs > this.#maxOutageMs) throw error;
  }

  async #wait(error: EndpointError, failures: number, address: Address, signal: AbortSignal): Promise<void> {
    const askedMs = error.retryAfterMs ?? 0;
    if (askedMs > 0) {
      // A little later than asked for, so that all who were refused do not come back in the same moment.
      await pause(askedMs + Math.random() * Math.min(250, askedMs / 10), signal);
      return;
    }
    // The router holds whoever wants to go to an address that is down.
    if (error.kind === 'down' && address.health.down !== null) return;
    const { firstMs, maxMs } = this.#retry.backoff;
    const limits = { firstMs: Math.min(maxMs, Math.max(firstMs, address.latencyMs)), maxMs };
    const doublings = Math.max(1, failures - SHORT_WAITS);
    await pause(backoffMs(doublings, limits, Math.random()), signal);
  }

  state(): EndpointState {
    return this.#router.state();
  }

  async close(): Promise<void> {
    await this.#router.close();
  }
}
