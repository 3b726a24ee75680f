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

const KEY_START = '{"key":"';
const KEY_DIGITS = 64;

/**
 * One line with its newline. JSON holds no raw newline, so a line without one at its end is torn. The key comes first,
 * so that it can be read without the rest.
 */
export function encodeAnswer(answer: LedgerAnswer): string {
  const { key, ...rest } = answer;
  return `${JSON.stringify({ key, ...rest })}\n`;
}

/** The key of a line that `encodeAnswer` made, without a look at the rest of it; null for another line. */
export function keyOfLine(line: Buffer): string | null {
  if (line.toString('latin1', 0, KEY_START.length) !== KEY_START) return null;
  const key = line.toString('latin1', KEY_START.length, KEY_START.length + KEY_DIGITS);
  return sha256Schema.safeParse(key).success ? key : null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws BLOB_CORRUPT naming `where`. */
export function decodeAnswer(line: Buffer, where: string): LedgerAnswer {
  try {
    return ledgerAnswerSchema.parse(JSON.parse(utf8.decode(line)));
  } catch (error) {
    throw new SecpiError('BLOB_CORRUPT', `${where} holds no answer: ${messageOf(error).slice(0, 300)}.`, {
      cause: error,
    });
  }
}
