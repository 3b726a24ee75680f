/** The queue before an address: whoever wants to send waits here for a turn. Those who ask again go first. */
import { onAbort } from './abortHub.ts';
import type { Limiter } from './limiter.ts';

/** Leave to send one request. It must be ended at the limiter, whatever becomes of the request. */
export interface Turn {
  readonly number: number;
  readonly sentMs: number;
  /** Estimated. */
  readonly tokens: number;
  /** Finds out whether an address that is down is back. */
  readonly isProbe: boolean;
}

interface Waiting {
  readonly tokens: number;
  readonly resolve: (turn: Turn | null) => void;
  gone: boolean;
}

export class Gate {
  readonly #limiter: Limiter;
  readonly #again = new Queue();
  readonly #fresh = new Queue();
  #timer: NodeJS.Timeout | null = null;

  constructor(limiter: Limiter) {
    this.#limiter = limiter;
  }

  /** Resolves with null when the queue was emptied: look for another address. Throws the signal's reason. */
  async enter(tokens: number, again: boolean, signal: AbortSignal): Promise<Turn | null> {
    const nowMs = performance.now();
    if (this.#again.length + (again ? 0 : this.#fresh.length) === 0 && this.#limiter.waitMs(nowMs) === 0)
      return this.#turn(nowMs, tokens, false);
    const { promise, resolve, reject } = Promise.withResolvers<Turn | null>();
    const waiting: Waiting = { tokens, resolve, gone: false };
    (again ? this.#again : this.#fresh).push(waiting);
    this.pump();
    const release = onAbort(signal, (reason) => {
      waiting.gone = true;
      reject(reason);
    });
    try {
      return await promise;
    } finally {
      release();
    }
  }

  /** A turn out of turn, for a probe. */
  pass(tokens: number): Turn {
    return this.#turn(performance.now(), tokens, true);
  }

  /** Lets in who may go now. To be called when a request has ended. */
  pump(): void {
    for (;;) {
      const queue = this.#again.length > 0 ? this.#again : this.#fresh;
      const first = queue.first();
      if (first === null) return;
      const nowMs = performance.now();
      const waitMs = first.gone ? 0 : this.#limiter.waitMs(nowMs);
      if (waitMs > 0) {
        if (waitMs !== Number.POSITIVE_INFINITY) this.#wake(waitMs);
        return;
      }
      queue.shift();
      if (!first.gone) first.resolve(this.#turn(nowMs, first.tokens, false));
    }
  }

  /** Sends all who wait away. */
  empty(): void {
    for (const queue of [this.#again, this.#fresh]) {
      for (let first = queue.first(); first !== null; first = queue.first()) {
        queue.shift();
        first.resolve(null);
      }
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.empty();
  }

  #turn(nowMs: number, tokens: number, isProbe: boolean): Turn {
    return { number: this.#limiter.send(nowMs, tokens), sentMs: nowMs, tokens, isProbe };
  }

  #wake(waitMs: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.pump();
    }, Math.ceil(waitMs));
  }
}

/** First in, first out, without moving the rest. */
class Queue {
  #items: Waiting[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: Waiting): void {
    this.#items.push(item);
  }

  first(): Waiting | null {
    return this.#items[this.#head] ?? null;
  }

  shift(): void {
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
