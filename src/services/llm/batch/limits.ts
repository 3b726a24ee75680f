/** How much goes into one batch job, how often it is asked for again, and how long a silent provider is borne. */
import type { BackoffLimits } from '../backoff.ts';

export interface BatchLimits {
  /** Requests of one input file; 50,000 is what the OpenAI Batch interface takes. */
  readonly maxRequests: number;
  /** Bytes of one input file; 200 MB is what the OpenAI Batch interface takes. */
  readonly maxFileBytes: number;
  /** Batches that a row without an answer is put into, before it becomes a dead letter. */
  readonly maxAttempts: number;
  /** Downloads of a result file that has lines nobody can read, before they count as not answered. */
  readonly maxDownloads: number;
  /** How long the provider may fail without one answer in between before the run gives up. */
  readonly patienceMs: number;
  /** Wait before a batch is created again that the provider refused only because too much is queued. */
  readonly queueFullWaitMs: number;
  /** After an abort: how long a creation that is on its way may take until its id is stored. */
  readonly createGraceMs: number;
  /** A record that another process is creating a job for is taken over when nothing became of it for so long. */
  readonly takeOverAfterMs: number;
  readonly backoff: BackoffLimits;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = {
  maxRequests: 50_000,
  maxFileBytes: 200_000_000,
  maxAttempts: 3,
  maxDownloads: 3,
  patienceMs: 24 * 3_600_000,
  queueFullWaitMs: 5 * 60_000,
  createGraceMs: 5_000,
  takeOverAfterMs: 15 * 60_000,
  backoff: { firstMs: 2_000, maxMs: 60_000 },
};
