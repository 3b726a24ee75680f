/** A tranche on this worker: how much of it is free, and the reservations made in it. */
import type { TrancheSettlement } from '../../contract/workflows.ts';
import type { TrancheFile } from './trancheFile.ts';
import type { Reservation } from './types.ts';

/** About 100,000 reservations: a file must be read in one piece after its owner's death. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;

export class Tranche {
  readonly id: string;
  readonly file: TrancheFile;
  readonly #usd: number;
  readonly #onMoneyBack: () => void;
  #spentUsd = 0;
  #unsettledUsd = 0;
  #reservedUsd = 0;
  #number = 0;
  #open = 0;
  #ended = false;

  constructor(id: string, usd: number, file: TrancheFile, onMoneyBack: () => void) {
    this.id = id;
    this.file = file;
    this.#usd = usd;
    this.#onMoneyBack = onMoneyBack;
  }

  /** Requests sent and not ended. */
  get open(): number {
    return this.#open;
  }

  fits(worstUsd: number): boolean {
    if (this.#ended || this.file.isBroken || this.file.bytes >= MAX_FILE_BYTES) return false;
    return this.#spentUsd + this.#unsettledUsd + this.#reservedUsd + worstUsd <= this.#usd;
  }

  /** Sets the worst case aside at once; resolves when it is on disk. Throws when it cannot be kept there. */
  async reserve(worstUsd: number): Promise<Reservation> {
    const number = (this.#number += 1);
    this.#open += 1;
    this.#reservedUsd += worstUsd;
    let ended = false;
    const end = (apply: () => void): void => {
      // What ends after its tranche was settled is charged at its worst case already.
      if (ended || this.#ended) return;
      ended = true;
      this.#open -= 1;
      this.#reservedUsd = this.#open === 0 ? 0 : this.#reservedUsd - worstUsd;
      apply();
      this.#onMoneyBack();
    };
    try {
      await this.file.append({ r: number, usd: worstUsd });
    } catch (error) {
      end(() => undefined);
      throw error;
    }
    return {
      settle: (usd) =>
        end(() => {
          this.#spentUsd += usd;
          this.#note({ s: number, usd });
        }),
      release: () => end(() => this.#note({ f: number })),
      abandon: () => end(() => void (this.#unsettledUsd += worstUsd)),
    };
  }

  /** A line that is lost leaves the reservation open, at its worst case: the safe side, so nobody waits for it. */
  #note(line: { s: number; usd: number } | { f: number }): void {
    this.file.append(line).catch(() => undefined);
  }

  /** What it came to; what is still open counts as unsettled. Nothing is reserved or ended in it from now on. */
  end(): TrancheSettlement {
    this.#ended = true;
    return {
      id: this.id,
      spentUsd: this.#spentUsd,
      unsettledUsd: this.#unsettledUsd + this.#reservedUsd,
    };
  }

  amounts(): { spentUsd: number; unsettledUsd: number; reservedUsd: number } {
    return {
      spentUsd: this.#spentUsd,
      unsettledUsd: this.#unsettledUsd,
      reservedUsd: this.#reservedUsd,
    };
  }
}
