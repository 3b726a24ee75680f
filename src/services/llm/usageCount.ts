/** Sums up what a run asked, got and paid. */
import type { Usage } from '../../contract/manifest.ts';
import { emptyUsage } from '../../contract/usage.ts';
import type { TokenUsage } from './chat.ts';

type Counts = { -readonly [Name in keyof Usage]: number };

export class UsageCount {
  readonly #sum: Counts = { ...emptyUsage };

  sent(): void {
    this.#sum.requests += 1;
  }

  /** An attempt that brought no answer. */
  failed(): void {
    this.#sum.retries += 1;
  }

  ledgerHit(): void {
    this.#sum.ledgerHits += 1;
  }

  /** An earlier attempt at the same work sent so many requests for an answer that is there now. */
  sentBefore(attempts: number): void {
    this.#sum.requests += attempts;
    this.#sum.retries += attempts - 1;
  }

  paid({ promptTokens, completionTokens, reasoningTokens }: TokenUsage, usd: number): void {
    this.#sum.promptTokens += promptTokens;
    this.#sum.completionTokens += completionTokens;
    this.#sum.reasoningTokens += reasoningTokens;
    this.#sum.costUsd += usd;
  }

  /** The answer had been there already; it was paid all the same. */
  paidTwice(usd: number): void {
    this.#sum.paidTwice += 1;
    this.#sum.paidTwiceUsd += usd;
  }

  /** An attempt whose outcome nobody knows. */
  unsettled(worstUsd: number): void {
    this.#sum.unsettledUsd += worstUsd;
    this.#sum.costUsd += worstUsd;
  }

  get usage(): Usage {
    return { ...this.#sum };
  }
}
