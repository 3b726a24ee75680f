/**
 * The last requests by the order in which they were sent, and which of them were refused. A request counts as accepted
 * once it has been out for longer than refusals take: an answer may take minutes, a refusal does not. Pure.
 */

const CAPACITY = 16_384;
/** What a refusal takes before any has come, and the least. */
const LEAST_LAG_MS = 3;

export interface Tally {
  readonly sent: number;
  readonly refused: number;
}

export class SendLog {
  readonly #sentMs = new Float64Array(CAPACITY);
  readonly #refused = new Uint8Array(CAPACITY);
  /** Number of the next request. */
  #next = 0;
  /** Requests before this number are decided: refused, or out for long enough. */
  #decided = 0;
  #lastRefused = -1;
  #refusalMs = 0;

  get next(): number {
    return this.#next;
  }

  /** After this long without a refusal a request is taken for accepted. */
  get lagMs(): number {
    return LEAST_LAG_MS + 1.5 * this.#refusalMs;
  }

  add(nowMs: number): number {
    const number = this.#next;
    this.#sentMs[number % CAPACITY] = nowMs;
    this.#refused[number % CAPACITY] = 0;
    this.#next += 1;
    return number;
  }

  refuse(number: number, nowMs: number): void {
    if (number < this.#oldest) return;
    const tookMs = nowMs - (this.#sentMs[number % CAPACITY] ?? nowMs);
    this.#refusalMs = this.#refusalMs === 0 ? tookMs : this.#refusalMs * 0.9 + tookMs * 0.1;
    this.#refused[number % CAPACITY] = 1;
    this.#lastRefused = Math.max(this.#lastRefused, number);
  }

  /** Of the decided requests from number `from` on: how many there are and were refused. */
  tally(nowMs: number, from: number): Tally {
    return this.#count(this.#decide(nowMs), from, CAPACITY);
  }

  /**
   * Of the requests up to the newest that was refused, from number `from` on, the newest `most`. Who was sent before
   * one that is refused by now would be refused by now.
   */
  untilLastRefusal(from: number, most: number): Tally {
    return this.#count(this.#lastRefused + 1, from, most);
  }

  /** Of those, the ones from the first refused on; and the time over which they were sent. */
  sinceFirstRefusal(from: number, most: number): Tally & { readonly spanMs: number } {
    let first = this.#lastRefused;
    for (
      let number = first;
      number >= Math.max(from, this.#lastRefused + 1 - most, this.#oldest);
      number -= 1
    )
      if (this.#refused[number % CAPACITY] === 1) first = number;
    const sentMs = (number: number): number => this.#sentMs[number % CAPACITY] ?? 0;
    return {
      ...this.#count(this.#lastRefused + 1, first, CAPACITY),
      spanMs: sentMs(this.#lastRefused) - sentMs(first),
    };
  }

  #count(end: number, from: number, most: number): Tally {
    const first = Math.max(from, end - most, this.#oldest);
    let refused = 0;
    for (let number = first; number < end; number += 1) refused += this.#refused[number % CAPACITY] ?? 0;
    return { sent: Math.max(0, end - first), refused };
  }

  get #oldest(): number {
    return Math.max(0, this.#next - CAPACITY);
  }

  /** Requests accepted per second, over `spanMs` before the last refused one was sent. */
  acceptedBeforeLastRefusal(spanMs: number): number {
    const fromMs = (this.#sentMs[this.#lastRefused % CAPACITY] ?? 0) - spanMs;
    let accepted = 0;
    for (let number = this.#lastRefused; number >= this.#oldest; number -= 1) {
      if ((this.#sentMs[number % CAPACITY] ?? 0) <= fromMs) break;
      accepted += 1 - (this.#refused[number % CAPACITY] ?? 0);
    }
    return (accepted * 1000) / spanMs;
  }

  #decide(nowMs: number): number {
    const untilMs = nowMs - this.lagMs;
    while (
      this.#decided < this.#next &&
      (this.#refused[this.#decided % CAPACITY] === 1 ||
        (this.#sentMs[this.#decided % CAPACITY] ?? 0) <= untilMs)
    )
      this.#decided += 1;
    return this.#decided;
  }
}
