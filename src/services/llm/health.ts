/** Whether somebody answers at an address, from what requests met there. Pure: time is handed in. */
import type { EndpointError } from './errors.ts';

/** Only 502 to 504 for this long: the server behind the gateway is away. */
const GATEWAY_ONLY_MS = 3_000;
/** Only broken attempts for this long: what answers there is of no use. */
const FAULTS_ONLY_MS = 20_000;
/** And at least so many, so that one slow request is not all the evidence. */
const LEAST_FAILURES = 3;
const FIRST_PROBE_MS = 500;
const LONGEST_PROBE_MS = 15_000;
const PROBE_GROWTH = 1.5;
const GATEWAY = new Set([502, 503, 504]);

export class Health {
  /** How long failures may last until the address counts as down, at most. */
  readonly #mostMs: number;
  #failing: { sinceMs: number; failures: number } | null = null;
  #heardMs = Number.NEGATIVE_INFINITY;
  #down: { readonly sinceMs: number; readonly error: EndpointError } | null = null;
  #probe = { atMs: 0, afterMs: FIRST_PROBE_MS, underWay: false };

  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  get down(): { readonly sinceMs: number; readonly error: EndpointError } | null {
    return this.#down;
  }

  /** When the next probe may go out; Infinity while one is out. */
  get probeAtMs(): number {
    return this.#probe.underWay ? Number.POSITIVE_INFINITY : this.#probe.atMs;
  }

  startProbe(): void {
    this.#probe.underWay = true;
  }

  /** The probe brought no news. */
  endProbe(): void {
    this.#probe.underWay = false;
  }

  /** Somebody is there: an answer, or a refusal of this request or of the pace. True when it was down. */
  heard(nowMs: number): boolean {
    const wasDown = this.#down !== null;
    this.#heardMs = nowMs;
    this.#failing = null;
    this.#down = null;
    this.#probe = { atMs: 0, afterMs: FIRST_PROBE_MS, underWay: false };
    return wasDown;
  }

  /** True when the address is down from now on. */
  failed(nowMs: number, sentMs: number, error: EndpointError): boolean {
    this.#failing ??= { sinceMs: nowMs, failures: 0 };
    this.#failing.failures += 1;
    if (this.#down !== null) {
      this.#down = { sinceMs: this.#down.sinceMs, error };
      this.#planProbe(nowMs);
      return false;
    }
    if (!this.#isDown(nowMs, sentMs, error, this.#failing)) return false;
    this.#down = { sinceMs: this.#failing.sinceMs, error };
    this.#probe.afterMs = FIRST_PROBE_MS;
    this.#planProbe(nowMs);
    return true;
  }

  #isDown(
    nowMs: number,
    sentMs: number,
    error: EndpointError,
    { sinceMs, failures }: { sinceMs: number; failures: number },
  ): boolean {
    // Answers since it was sent show that it was only this connection.
    if (error.kind === 'down') return this.#heardMs < sentMs;
    const lastedMs = GATEWAY.has(error.status ?? 0) ? GATEWAY_ONLY_MS : FAULTS_ONLY_MS;
    return failures >= LEAST_FAILURES && nowMs - sinceMs >= Math.min(lastedMs, this.#mostMs);
  }

  #planProbe(nowMs: number): void {
    const { underWay, afterMs, atMs } = this.#probe;
    // Requests that were under way when it went down fail too; only probes make the next one later.
    if (!underWay && atMs > nowMs) return;
    this.#probe = {
      atMs: nowMs + afterMs,
      afterMs: Math.min(LONGEST_PROBE_MS, afterMs * PROBE_GROWTH),
      underWay: false,
    };
  }
}
