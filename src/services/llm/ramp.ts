/** The start: few requests in flight and evenly spaced, twice as many a round trip later, and so on. Pure. */
import { Pace } from './pace.ts';

const FIRST_WINDOW = 16;
/** The window doubles at most this often, so that refusals can be heard between, … */
const FASTEST_DOUBLING_MS = 150;
/** … and at least this often while nobody refuses: answers may take minutes. */
const SLOWEST_DOUBLING_MS = 500;
/** A window's requests go out this many times a second at most: all at once they would say nothing about a rate. */
const WINDOWS_PER_SECOND = 20;

export class Ramp {
  readonly #goal: number;
  readonly #first: number;
  readonly #pace = new Pace();
  #window: number;
  #sinceMs: number | null = null;

  /** `goal`: requests in flight at which it ends. */
  constructor(goal: number) {
    this.#goal = goal;
    this.#first = Math.min(goal, FIRST_WINDOW);
    this.#window = this.#first;
    this.#pace.set(this.#first * WINDOWS_PER_SECOND, 0);
  }

  get window(): number {
    return this.#window;
  }

  get isOver(): boolean {
    return this.#window >= this.#goal;
  }

  waitMs(nowMs: number): number {
    this.#grow(nowMs, 0);
    return this.#pace.waitMs(nowMs);
  }

  send(nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#pace.take(nowMs);
  }

  answered(nowMs: number): void {
    this.#grow(nowMs, 1);
  }

  #grow(nowMs: number, answers: number): void {
    const lastedMs = nowMs - (this.#sinceMs ?? nowMs);
    const most = this.#first * 2 ** (lastedMs / FASTEST_DOUBLING_MS);
    const least = this.#first * 2 ** (lastedMs / SLOWEST_DOUBLING_MS);
    const window = Math.min(this.#goal, most, Math.max(this.#window + answers, least));
    if (window === this.#window) return;
    this.#window = window;
    this.#pace.set(window * WINDOWS_PER_SECOND, nowMs);
  }
}
