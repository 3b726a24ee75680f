/** Sums of tokens and money. Pure. */
import type { Usage } from './manifest.ts';

export const emptyUsage: Usage = {
  requests: 0,
  ledgerHits: 0,
  promptTokens: 0,
  completionTokens: 0,
  costUsd: 0,
};

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    requests: left.requests + right.requests,
    ledgerHits: left.ledgerHits + right.ledgerHits,
    promptTokens: left.promptTokens + right.promptTokens,
    completionTokens: left.completionTokens + right.completionTokens,
    costUsd: left.costUsd + right.costUsd,
  };
}

export function sumUsage(usages: Iterable<Usage>): Usage {
  let sum = emptyUsage;
  for (const usage of usages) sum = addUsage(sum, usage);
  return sum;
}
