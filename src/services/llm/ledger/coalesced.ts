/** Work that is done once for all who ask while it waits: a call shares the next run, never one that began before it. */
export class Coalesced {
  readonly #work: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  run(): Promise<void> {
    this.#waiting ??= this.#begin(this.#last);
    return this.#waiting;
  }

  async #begin(last: Promise<void>): Promise<void> {
    // Its failure is told to those who shared it.
    await last.catch(() => undefined);
    this.#last = this.#waiting ?? Promise.resolve();
    this.#waiting = null;
    await this.#work();
  }
}
