/** Money from tokens. Pure. */
import type { Endpoint } from '../../contract/recipe.ts';
import type { TokenUsage } from './chat.ts';

/** USD per million tokens; reasoning tokens are completion tokens and cost the same. */
export type Price = NonNullable<Endpoint['priceUsdPerMillionTokens']>;

export function costUsd(usage: TokenUsage, price: Price | undefined): number {
  if (price === undefined) return 0;
  return (usage.promptTokens * price.prompt + usage.completionTokens * price.completion) / 1_000_000;
}
