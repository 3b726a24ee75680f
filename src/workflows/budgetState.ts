/**
 * The money of a run as a state machine: tranches are granted, settle once, and what died with its host stays charged.
 * Pure. Invariant: spent + unsettled + granted ≤ cap, unless a settlement says that more was spent than its tranche
 * held; that is recorded as it was, and nothing is granted until a raise covers it.
 */
import type { BudgetState, TrancheAnswer, TrancheRequest, TrancheSettlement } from '../contract/workflows.ts';

/**
 * A tranche is the largest of: this share of what is left, this share of the cap, and four of the next requests; at
 * most what is left. A worker settles one only when the next request no longer fits and none is open, so at least 3/4
 * of it are spent then: a cap is used up within 4/3 · 256 ≈ 340 tranches, and those that workers settle early because
 * their work ended. The last of a cap may be smaller.
 */
const SHARE_OF_LEFT = 1 / 16;
const SHARE_OF_CAP = 1 / 256;
const REQUESTS_AT_LEAST = 4;
/** Ended tranches whose id is remembered, for requests and settlements that come twice or in the wrong order. */
const REMEMBERED = 256;

/** What continue-as-new carries over: a few KB. */
export interface BudgetSnapshot {
  readonly capUsd: number;
  readonly spentUsd: number;
  readonly unsettledUsd: number;
  readonly pausedSince: string | null;
  readonly wantedUsd: number | null;
  readonly open: readonly (readonly [id: string, usd: number])[];
  /** Oldest first; 0 for one that was settled before its grant arrived. */
  readonly ended: readonly (readonly [id: string, usd: number])[];
}

export class Budget {
  #capUsd: number;
  #spentUsd = 0;
  #unsettledUsd = 0;
  readonly #open = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  #pausedSince: string | null = null;
  /** The least that somebody who was refused waits for. */
  #wantedUsd: number | null = null;

  constructor(start: { readonly capUsd: number } | BudgetSnapshot) {
    this.#capUsd = start.capUsd;
    if (!('open' in start)) return;
    this.#spentUsd = start.spentUsd;
    this.#unsettledUsd = start.unsettledUsd;
    this.#pausedSince = start.pausedSince;
    this.#wantedUsd = start.wantedUsd;
    for (const [id, usd] of start.open) this.#open.set(id, usd);
    for (const [id, usd] of start.ended) this.#ended.set(id, usd);
  }

  /** The same id gets the same answer, however often and late it asks. `now` is a date in ISO form. */
  grant({ id, atLeastUsd }: TrancheRequest, now: string): TrancheAnswer {
    const earlier = this.#open.get(id) ?? this.#ended.get(id);
    if (earlier !== undefined && earlier > 0) return { status: 'granted', usd: earlier };
    const availableUsd = this.#availableUsd();
    if (earlier === 0 || !(atLeastUsd <= availableUsd) || availableUsd <= 0) {
      // An id that was settled before has nobody behind it any more, who could wait.
      if (earlier === undefined) this.#wait(atLeastUsd, now);
      return { status: 'refused', availableUsd: Math.max(0, availableUsd), capUsd: this.#capUsd };
    }
    const usd = Math.min(
      availableUsd,
      Math.max(availableUsd * SHARE_OF_LEFT, this.#capUsd * SHARE_OF_CAP, atLeastUsd * REQUESTS_AT_LEAST),
    );
    this.#open.set(id, usd);
    this.#pausedSince = null;
    this.#wantedUsd = null;
    return { status: 'granted', usd };
  }

  /** Counts once. An id that is not known is only remembered: its grant may still be on its way, and must not be given. */
  settle({ id, spentUsd, unsettledUsd }: TrancheSettlement): void {
    if (this.#ended.has(id)) return;
    const usd = this.#open.get(id) ?? 0;
    if (this.#open.delete(id)) {
      this.#spentUsd += spentUsd;
      this.#unsettledUsd += unsettledUsd;
    }
    this.#ended.set(id, usd);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= REMEMBERED) break;
      this.#ended.delete(oldest);
    }
    this.#resumeIfEnough();
  }

  /** What a new cap must exceed. */
  committedUsd(): number {
    return this.#spentUsd + this.#unsettledUsd + this.#grantedUsd();
  }

  raise(capUsd: number): void {
    this.#capUsd = capUsd;
    this.#resumeIfEnough();
  }

  state(): BudgetState {
    return {
      capUsd: this.#capUsd,
      spentUsd: this.#spentUsd,
      unsettledUsd: this.#unsettledUsd,
      grantedUsd: this.#grantedUsd(),
      availableUsd: this.#availableUsd(),
      pausedSince: this.#pausedSince,
    };
  }

  snapshot(): BudgetSnapshot {
    return {
      capUsd: this.#capUsd,
      spentUsd: this.#spentUsd,
      unsettledUsd: this.#unsettledUsd,
      pausedSince: this.#pausedSince,
      wantedUsd: this.#wantedUsd,
      open: [...this.#open],
      ended: [...this.#ended],
    };
  }

  #wait(atLeastUsd: number, now: string): void {
    this.#pausedSince ??= now;
    this.#wantedUsd = Math.min(this.#wantedUsd ?? atLeastUsd, atLeastUsd);
  }

  #resumeIfEnough(): void {
    if (this.#wantedUsd === null || this.#wantedUsd > this.#availableUsd()) return;
    this.#pausedSince = null;
    this.#wantedUsd = null;
  }

  #grantedUsd(): number {
    let sum = 0;
    for (const usd of this.#open.values()) sum += usd;
    return sum;
  }

  #availableUsd(): number {
    return this.#capUsd - this.committedUsd();
  }
}
