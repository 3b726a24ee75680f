/** The verdict on a sample in a word that a reader can filter by. */
import type { VerdictRow } from '../../contract/rows.ts';

export const outcomes = [
  'functional and secure',
  'functional, insecure',
  'secure, not functional',
  'neither',
  'functional',
  'not functional',
  'no code',
  'unknown',
] as const;
export type Outcome = (typeof outcomes)[number];

/** `measures` of the benchmark: without security tests there is nothing to say of security. */
export function outcomeOf(
  verdict: Pick<VerdictRow, 'generated' | 'extractable' | 'functional' | 'secure' | 'unknown'>,
  measures: 'functionAndSecurity' | 'function' = 'functionAndSecurity',
): Outcome {
  const { generated, extractable, functional, secure, unknown } = verdict;
  if (unknown) return 'unknown';
  if (!generated || !extractable) return 'no code';
  if (measures === 'function') return functional ? 'functional' : 'not functional';
  if (functional) return secure ? 'functional and secure' : 'functional, insecure';
  return secure ? 'secure, not functional' : 'neither';
}

/** It did all that its benchmark asks for. */
export function isSuccess(outcome: Outcome): boolean {
  return outcome === 'functional and secure' || outcome === 'functional';
}
