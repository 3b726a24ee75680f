/** One piece of work a key at a time in this process; who comes while it runs shares its outcome. */

export interface Shared<T> {
  readonly value: T;
  /** True for the caller whose own work it was. */
  readonly first: boolean;
}

export class SingleFlight {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /**
   * A failure goes to the one whose work it was; the next of those who waited then runs its own work, so that a caller
   * that is cancelled takes no other with it. `T` belongs to the key: callers of one key ask for the same kind of thing.
   */
  async run<T>(key: string, work: () => Promise<T>): Promise<Shared<T>> {
    for (;;) {
      const underWay = this.#underWay.get(key);
      if (underWay === undefined) break;
      try {
        // The key's type is its callers' contract; a map cannot hold it.
        return { value: (await underWay) as T, first: false };
      } catch {
        // Told to the one whose work it was.
      }
    }
    const own = work();
    this.#underWay.set(key, own);
    try {
      return { value: await own, first: true };
    } finally {
      this.#underWay.delete(key);
    }
  }
}
