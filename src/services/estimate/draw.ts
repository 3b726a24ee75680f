/** A random sample of a stream, the same one each time: the rows whose hash is lowest. Pure. */
import { createHash } from 'node:crypto';

/** Part of every row's rank: another seed draws other rows. */
const SEED = 'estimate-1';

/** Holds at most twice what it was asked for. */
export class Draw<Row extends { readonly id: string; readonly index: number }> {
  readonly #size: number;
  #held: { readonly rank: string; readonly row: Row }[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  offer(row: Row): void {
    if (this.#size === 0) return;
    const rank = createHash('sha256').update(`${SEED}\n${row.index}\n${row.id}`).digest('hex');
    this.#held.push({ rank, row });
    if (this.#held.length >= 2 * this.#size) this.#cut();
  }

  /** In the order of their rank: the first of them are a sample too. */
  drawn(): Row[] {
    this.#cut();
    return this.#held.map(({ row }) => row);
  }

  #cut(): void {
    this.#held.sort((left, right) => (left.rank < right.rank ? -1 : 1));
    this.#held = this.#held.slice(0, this.#size);
  }
}
