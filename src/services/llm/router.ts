/** Which address a request goes to; and the circuit: when none answers, everybody waits but one at a time who probes. */
import { onAbort } from './abortHub.ts';
import type { Address } from './address.ts';
import type { EndpointState } from './endpoint.ts';
import { EndpointError } from './errors.ts';

export interface Route {
  readonly address: Address;
  /** The address is down; this request finds out whether it is back. */
  readonly isProbe: boolean;
}

const LEAST_TIMER_MS = 50;
/** A pace that changes by less than this is not told anew. */
const WORTH_TELLING = 0.1;

export class Router {
  readonly #addresses: readonly Address[];
  readonly #maxOutageMs: number;
  readonly #onState: (state: EndpointState) => void;
  readonly #stranded = new Set<() => void>();
  #told: EndpointState = { kind: 'up' };
  #timer: NodeJS.Timeout | null = null;

  constructor(addresses: readonly Address[], maxOutageMs: number, onState: (state: EndpointState) => void) {
    this.#addresses = addresses;
    this.#maxOutageMs = maxOutageMs;
    this.#onState = onState;
  }

  /**
   * The first address that is up, or one that is due for a probe before it. `hasProbed`: this request has done its part
   * and takes one that is up. Throws ENDPOINT_UNREACHABLE or the signal's reason.
   */
  async route(signal: AbortSignal, hasProbed: boolean): Promise<Route> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = performance.now();
      const mayProbe = !hasProbed || this.#gone() !== null;
      for (const address of this.#addresses) {
        if (address.health.down === null) return { address, isProbe: false };
        if (mayProbe && address.health.probeAtMs <= nowMs) {
          address.health.startProbe();
          return { address, isProbe: true };
        }
      }
      this.#throwIfTooLong(nowMs);
      await this.#strand(signal);
    }
  }

  /** To be called whenever a request has ended: wakes who can go on, tells what changed. */
  update(): void {
    if (this.#stranded.size > 0) {
      if (this.#gone() === null) this.#wakeAll();
      else this.#arm();
    }
    const state = this.state();
    if (!isNews(state, this.#told)) return;
    this.#told = state;
    this.#onState(state);
  }

  state(): EndpointState {
    const gone = this.#gone();
    if (gone !== null) {
      const sinceMs = Date.now() - (performance.now() - gone.sinceMs);
      return { kind: 'gone', sinceMs, problem: gone.error.problem };
    }
    const limiter = this.#addresses.find(({ health }) => health.down === null)?.limiter;
    if (limiter === undefined || !limiter.isLimited) return { kind: 'up' };
    return { kind: 'limited', inFlight: limiter.window, perSecond: limiter.perSecond };
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#addresses.map((address) => address.close()));
  }

  /** Since the last of the addresses went down; the problem is the first one's. */
  #gone(): { readonly sinceMs: number; readonly error: EndpointError } | null {
    let sinceMs = Number.NEGATIVE_INFINITY;
    let error: EndpointError | null = null;
    for (const { health } of this.#addresses) {
      if (health.down === null) return null;
      sinceMs = Math.max(sinceMs, health.down.sinceMs);
      error ??= health.down.error;
    }
    return error === null ? null : { sinceMs, error };
  }

  #throwIfTooLong(nowMs: number): void {
    const gone = this.#gone();
    if (gone === null || nowMs - gone.sinceMs < this.#maxOutageMs) return;
    const { error } = gone;
    throw new EndpointError('down', 'ENDPOINT_UNREACHABLE', error.problem, {
      ...(error.field === undefined ? {} : { field: error.field }),
      cause: error,
    });
  }

  async #strand(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#stranded.add(resolve);
    this.#arm();
    const release = onAbort(signal, reject);
    try {
      await promise;
    } finally {
      release();
      this.#stranded.delete(resolve);
    }
  }

  #wakeAll(): void {
    for (const wake of this.#stranded) wake();
    this.#stranded.clear();
  }

  /** Wakes one of the stranded for the next probe; all, when the outage has lasted too long. */
  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const gone = this.#gone();
    if (gone === null || this.#stranded.size === 0) return;
    const endMs = gone.sinceMs + this.#maxOutageMs;
    const atMs = Math.min(endMs, ...this.#addresses.map(({ health }) => health.probeAtMs));
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        if (performance.now() >= endMs) this.#wakeAll();
        else this.#wakeOne();
        this.#arm();
      },
      Math.max(LEAST_TIMER_MS, atMs - performance.now()),
    );
  }

  #wakeOne(): void {
    for (const wake of this.#stranded) {
      this.#stranded.delete(wake);
      wake();
      return;
    }
  }
}

function isNews(now: EndpointState, told: EndpointState): boolean {
  if (now.kind !== told.kind) return true;
  if (now.kind !== 'limited' || told.kind !== 'limited') return false;
  const [pace, paceTold] = [now.perSecond ?? 0, told.perSecond ?? 0];
  return Math.abs(pace - paceTold) > WORTH_TELLING * Math.max(pace, paceTold);
}
