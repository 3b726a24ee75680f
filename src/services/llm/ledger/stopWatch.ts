/** Notices that this process was stopped for a while (SIGSTOP, a frozen machine): what it knows of others is old then. */
const LOOK_EVERY_MS = 500;
const STOPPED_MS = 2_500;

export class StopWatch {
  readonly #timer: NodeJS.Timeout;
  #seenMs = performance.now();
  #stopped = false;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** True once after every stop. */
  wasStopped(): boolean {
    this.#look();
    const stopped = this.#stopped;
    this.#stopped = false;
    return stopped;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    if (nowMs - this.#seenMs > STOPPED_MS) this.#stopped = true;
    this.#seenMs = nowMs;
  }
}
