/** A provider's batch job as it tells of it; fields that compatible servers leave out or send as null are optional. */
import { z } from 'zod';

const time = z.number().nullish();

export const batchJobSchema = z.object({
  id: z.string().min(1),
  status: z.string(),
  input_file_id: z.string().nullish(),
  output_file_id: z.string().nullish(),
  error_file_id: z.string().nullish(),
  created_at: time,
  completed_at: time,
  expired_at: time,
  cancelled_at: time,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  request_counts: z
    .object({ total: z.number(), completed: z.number(), failed: z.number() })
    .partial()
    .nullish(),
  errors: z
    .object({
      data: z
        .array(
          z.object({ code: z.string().nullish(), message: z.string().nullish(), line: z.number().nullish() }),
        )
        .nullish(),
    })
    .nullish(),
});
export type BatchJob = z.infer<typeof batchJobSchema>;

const ENDED = new Set(['completed', 'failed', 'expired', 'cancelled']);

export function hasEnded({ status }: BatchJob): boolean {
  return ENDED.has(status);
}

/** Milliseconds from creation to end, by the provider's clock; 0 where it tells no times. */
export function durationMs(job: BatchJob): number {
  const end = job.completed_at ?? job.expired_at ?? job.cancelled_at;
  return Math.max(0, ((end ?? 0) - (job.created_at ?? 0)) * (end && job.created_at ? 1000 : 0));
}

/** One line for people: state and counts. */
export function describeJob({ id, status, request_counts: counts }: BatchJob): string {
  const total = counts?.total ?? 0;
  if (total === 0) return `batch ${id}: ${status}`;
  const failed = counts?.failed ? `, ${counts.failed} failed` : '';
  return `batch ${id}: ${status}, ${counts?.completed ?? 0} of ${total} answered${failed}`;
}

/** The job ran into a limit on what may be queued: nothing is wrong with it, later it is taken. */
export function wasQueueFull({ status, errors }: BatchJob): boolean {
  return status === 'failed' && (errors?.data ?? []).some(({ code }) => code === 'token_limit_exceeded');
}

/** Why the provider did not take the job, in its words; null when it took it, or says nothing. */
export function refusalOf({ status, errors }: BatchJob): string | null {
  if (status !== 'failed') return null;
  const said = (errors?.data ?? [])
    .slice(0, 3)
    .map(({ code, message, line }) =>
      [line ? `line ${line}` : null, code, message].filter((part) => part).join(': '),
    );
  return said.length === 0 ? null : said.join('; ').replaceAll(/\s+/g, ' ').slice(0, 600);
}
