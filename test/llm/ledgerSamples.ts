/** An answer for tests of the ledger. */
import type { LedgerAnswer } from '../../src/services/llm/ledger.ts';
import { sha256Hex } from '../../src/services/store/hash.ts';

export function answerOf(name: string, text = `text of ${name}`): LedgerAnswer {
  return {
    key: sha256Hex(name),
    rowId: name,
    index: 0,
    attempt: 1,
    text,
    reasoning: null,
    unbalancedThink: false,
    finishReason: 'stop',
    usage: { promptTokens: 1, completionTokens: 2, reasoningTokens: 0 },
    usageKnown: true,
    latencyMs: 3,
    model: 'm',
    costUsd: 0,
    payer: 'a test',
    answeredAt: '2026-11-21T00:00:00.000Z',
  };
}
