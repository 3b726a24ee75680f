/** The verdict on a sample in a word that a reader can filter by. */
import type { VerdictRow } from '../../contract/rows.ts';

export const outcomes = [
  'functional and secure',
  'functional, insecure',
  'secure, not functional',
  'neither',
  'no code',
  'unknown',
] as const;
export type Outcome = (typeof outcomes)[number];

export function outcomeOf(verdict: VerdictRow): Outcome {
  if (verdict.unknown) return 'unknown';
  if (!verdict.generated || !verdict.extractable) return 'no code';
  if (verdict.functional) return verdict.secure ? 'functional and secure' : 'functional, insecure';
  return verdict.secure ? 'secure, not functional' : 'neither';
}
