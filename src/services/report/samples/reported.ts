/** What a report is given of each sample. */
import type { VerdictRow } from '../../../contract/rows.ts';

/** One generated program with all that is known of it. */
export interface ReportedSample {
  readonly model: 'base' | 'tuned';
  readonly verdict: VerdictRow;
  /** All weaknesses of its task, as scores by weakness count it; the verdict's main one where not given. */
  readonly cwes?: readonly string[];
  /** The whole message that the model was sent. */
  readonly prompt: string;
  /** The answer; null when the endpoint gave none. */
  readonly reply: string | null;
  /** What came as reasoning apart from the answer. */
  readonly reasoning: string | null;
  /** What was taken out of the reply and graded; null when nothing could be. */
  readonly code: string | null;
}
