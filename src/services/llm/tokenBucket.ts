/** A bucket that fills at a steady rate and may be overdrawn by one taking: for limits given per minute. Pure. */

const MS_PER_MINUTE = 60_000;

export class TokenBucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #level: number;
  #atMs: number | null = null;

  /**
   * Holds a second's worth, at least 1: an account's limit is per minute and often enforced per second, and what is
   * saved up while idle would come on top of a minute's worth.
   */
  constructor(perMinute: number) {
    this.#perMs = perMinute / MS_PER_MINUTE;
    this.#capacity = Math.max(1, perMinute / 60);
    this.#level = this.#capacity;
  }

  /** Milliseconds until something may be taken; 0: now. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#level >= 1 ? 0 : (1 - this.#level) / this.#perMs;
  }

  /** More than is there makes the next wait longer. A negative amount gives back. */
  take(nowMs: number, amount: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#capacity, this.#level - amount);
  }

  #fill(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    this.#level = Math.min(this.#capacity, this.#level + sinceMs * this.#perMs);
    this.#atMs = nowMs;
  }
}
