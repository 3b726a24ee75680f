/** One line of the ledger: a paid answer. */
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { sha256Schema } from '../../../contract/refs.ts';
import { completionSchema } from '../chat.ts';

export const ledgerAnswerSchema = completionSchema.extend({
  /** The request key (`requestKey.ts`). */
  key: sha256Schema,
  /** The artefact it was paid for: what an earlier attempt at it paid counts as its cost, what another run paid does not. */
  payer: z.string(),
  /** The row it was first paid for; for people who look. */
  rowId: z.string(),
  /** Which sample of the same request. */
  index: z.int().nonnegative(),
  /** The attempt that brought it, from 1. */
  attempt: z.int().positive(),
  costUsd: z.number().nonnegative(),
  answeredAt: z.iso.datetime(),
});
export type LedgerAnswer = z.infer<typeof ledgerAnswerSchema>;

/** One line with its newline. JSON holds no raw newline, so a line without one at its end is torn. */
export function encodeAnswer(answer: LedgerAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

/** Throws BLOB_CORRUPT naming `where`. */
export function decodeAnswer(line: string, where: string): LedgerAnswer {
  try {
    return ledgerAnswerSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${where} holds no answer: ${messageOf(error).slice(0, 300)}.`, {
      cause: error,
    });
  }
}
