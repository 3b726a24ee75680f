/** A cache of promises bounded by weight: what is asked for while it is being fetched is fetched once. */
export class LruCache<Value> {
  readonly #entries = new Map<string, { value: Promise<Value>; weight: number }>();
  readonly #maxWeight: number;
  readonly #weigh: (value: Value) => number;
  #weight = 0;

  constructor(maxWeight: number, weigh: (value: Value) => number) {
    this.#maxWeight = maxWeight;
    this.#weigh = weigh;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** A failed load is not kept. */
  async get(key: string, load: () => Promise<Value>): Promise<Value> {
    const present = this.#entries.get(key);
    if (present !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, present);
      return present.value;
    }
    const entry = { value: load(), weight: 0 };
    this.#entries.set(key, entry);
    try {
      const value = await entry.value;
      entry.weight = this.#weigh(value);
      this.#weight += entry.weight;
      this.#shrink(key);
      return value;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  /** The oldest go first; the newest stays even when it is too heavy alone. */
  #shrink(newest: string): void {
    for (const [key, { weight }] of this.#entries) {
      if (this.#weight <= this.#maxWeight) return;
      if (key === newest || weight === 0) continue;
      this.#entries.delete(key);
      this.#weight -= weight;
    }
  }
}
