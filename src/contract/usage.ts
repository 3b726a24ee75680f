/** Sums of tokens and money. Pure. */
import type { Usage } from './manifest.ts';

export const emptyUsage: Usage = {
  requests: 0,
  ledgerHits: 0,
  retries: 0,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  costUsd: 0,
  unsettledUsd: 0,
  paidTwice: 0,
  paidTwiceUsd: 0,
  rejectedUsd: 0,
};

export function addUsage(left: Usage, right: Usage): Usage {
  const sum: { -readonly [Name in keyof Usage]: number } = { ...left };
  for (const name of Object.keys(emptyUsage) as (keyof Usage)[]) sum[name] += right[name];
  return sum;
}

export function sumUsage(usages: Iterable<Usage>): Usage {
  let sum = emptyUsage;
  for (const usage of usages) sum = addUsage(sum, usage);
  return sum;
}
