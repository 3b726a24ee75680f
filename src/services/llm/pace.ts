/** A steady rate with a little slack for timers that are late. Pure. */

/** Requests that were due this long ago may still go out at once; what was due before is forgone. */
const SLACK_MS = 15;

export class Pace {
  #perSecond: number | null = null;
  /** When the next request is due. */
  #dueMs = 0;

  /** Null: none. */
  get perSecond(): number | null {
    return this.#perSecond;
  }

  set(perSecond: number | null, nowMs: number): void {
    this.#perSecond = perSecond;
    this.#dueMs = Math.max(this.#dueMs, nowMs);
  }

  waitMs(nowMs: number): number {
    return this.#perSecond === null ? 0 : Math.max(0, this.#dueMs - nowMs);
  }

  take(nowMs: number): void {
    if (this.#perSecond === null) return;
    this.#dueMs = Math.max(this.#dueMs, nowMs - SLACK_MS) + 1000 / this.#perSecond;
  }
}
