/** Brings a batch job into being exactly once, whoever dies on the way. */
import { SecpiError } from '../../../contract/errors.ts';
import type { Purse, Reservation } from '../../budget/types.ts';
import { worstCaseUsd, type Price } from '../price.ts';
import type { BodyOptions } from '../wire.ts';
import { inputLines, type KeyedRequest } from './inputFile.ts';
import type { BatchJob } from './job.ts';
import type { BatchLimits } from './limits.ts';
import { isRefusal, sleepUnless, type BatchProvider } from './provider.ts';
import type { BatchRecords, NewRecord, RecordIn, Stored } from './record.ts';

export interface CreateJobContext {
  readonly provider: BatchProvider;
  readonly records: BatchRecords;
  readonly body: BodyOptions;
  readonly limits: BatchLimits;
  readonly pollEveryMs: number;
  readonly signal: AbortSignal;
  readonly price?: Price;
  readonly purse?: Purse;
  /** Awaited before a job is created. */
  readonly lease?: () => Promise<void>;
}

export interface HeldJob {
  readonly stored: Stored<RecordIn<'created'>>;
  /** Null for a job that another call created: its money was set aside there. */
  readonly reservation: Reservation | null;
  /** Created by this call. */
  readonly isOwn: boolean;
}

/**
 * The job of this name: created, or found where a dead process left it. The record is written before the upload, the
 * id stored directly after the creation; in between, the provider's list says whether the job exists. A record that
 * was there before this call is taken over; one that another process writes meanwhile is waited for. Null when
 * another process ended the job. Throws BATCH_FAILED when the provider refuses it.
 */
export async function createJob(
  context: CreateJobContext,
  batchKey: string,
  fresh: NewRecord,
  requests: readonly KeyedRequest[],
  present: Stored | null,
): Promise<HeldJob | null> {
  const { records, provider } = context;
  let left = present;
  for (let stored = present; ; stored = await records.read(batchKey)) {
    if (stored !== null && isIn(stored, 'created')) return { stored, reservation: null, isOwn: false };
    if (stored !== null && stored.record.state !== 'creating') return null;
    if (stored !== null && stored.record.writer !== left?.record.writer) {
      left = await waitForWriter(context, batchKey, stored);
      if (left === null) continue;
    }
    const claimed = await records.claim(batchKey, stored === null ? fresh : stored.record, stored);
    if (claimed === null) continue;
    if (stored !== null) {
      const found = await provider.find(batchKey, claimed.record.inputFileId);
      if (found !== null) {
        const adopted = await storeId(records, claimed, found.id);
        if (adopted !== null) return { stored: adopted, reservation: null, isOwn: false };
        continue;
      }
    }
    const created = await createClaimed(context, batchKey, claimed, fresh, requests);
    if (created !== null) return created;
  }
}

/** The record when its writer has let it lie; null when something became of it. */
async function waitForWriter(
  { records, limits, pollEveryMs, signal }: CreateJobContext,
  batchKey: string,
  seen: Stored,
): Promise<Stored | null> {
  const untilMs = performance.now() + limits.takeOverAfterMs;
  while (performance.now() < untilMs) {
    await sleepUnless(pollEveryMs, signal);
    const now = await records.read(batchKey);
    if (now?.etag !== seen.etag) return null;
  }
  return seen;
}

/** Null when another process took the record over; what was created is cancelled then, unless it was found. */
async function createClaimed(
  { provider, records, body, limits, signal, price, purse, lease }: CreateJobContext,
  batchKey: string,
  claimed: Stored<RecordIn<'creating'>>,
  fresh: NewRecord,
  requests: readonly KeyedRequest[],
): Promise<HeldJob | null> {
  const worstUsd = price === undefined ? 0 : worstOf(requests, price);
  const reservation = (await purse?.reserve(worstUsd, signal)) ?? null;
  let stored = claimed;
  let sent = false;
  let created: BatchJob;
  try {
    const inputFileId = await provider.upload(() => requests.map(inputLines(body)), `secpi-${batchKey}`);
    // Who creates pays, whoever wrote the record first.
    const uploaded = await records.replace(stored, { ...stored.record, ...fresh, inputFileId });
    if (uploaded === null) {
      reservation?.release();
      return null;
    }
    stored = uploaded;
    await lease?.();
    signal.throwIfAborted();
    sent = true;
    created = await provider.create(inputFileId, batchKey, graceAfter(signal, limits.createGraceMs));
  } catch (error) {
    if (!sent || isRefusal(error)) reservation?.release();
    else reservation?.abandon();
    if (!isRefusal(error)) throw error;
    const { problem } = error;
    await records.replace(stored, refusedFrom(stored.record, null, problem));
    // 404: it has no batch interface there.
    if (error.kind === 'endpoint' && error.status !== 404) throw error;
    throw new SecpiError('BATCH_FAILED', `the provider refused the batch job: ${problem}`, { cause: error });
  }
  try {
    const own = await storeId(records, stored, created.id);
    if (own !== null) return { stored: own, reservation, isOwn: true };
    const theirs = await records.read(batchKey);
    if (theirs !== null && isIn(theirs, 'created') && theirs.record.batchId === created.id)
      return { stored: theirs, reservation, isOwn: true };
  } catch (error) {
    reservation?.abandon();
    throw error;
  }
  reservation?.abandon();
  await provider.cancel(created.id);
  return null;
}

export function refusedFrom(
  { payer, run, attempt, requests, writer, createdAt }: NewRecord & { writer: string; createdAt: string },
  batchId: string | null,
  reason: string,
): RecordIn<'refused'> {
  return { payer, run, attempt, requests, writer, createdAt, state: 'refused', batchId, reason };
}

export function worstOf(requests: readonly KeyedRequest[], price: Price): number {
  let sum = 0;
  for (const { chat } of requests) sum += worstCaseUsd(chat, price);
  return sum;
}

function storeId(
  records: BatchRecords,
  stored: Stored<RecordIn<'creating'>>,
  batchId: string,
): Promise<Stored<RecordIn<'created'>> | null> {
  const { payer, run, attempt, requests, writer, createdAt } = stored.record;
  return records.replace(stored, {
    payer,
    run,
    attempt,
    requests,
    writer,
    createdAt,
    state: 'created',
    batchId,
  });
}

export function isIn<State extends 'creating' | 'created' | 'done' | 'refused'>(
  stored: Stored,
  state: State,
): stored is Stored<RecordIn<State>> {
  return stored.record.state === state;
}

/** Aborts `graceMs` after the signal does: time to bring a creation that is on its way to its end. */
function graceAfter(signal: AbortSignal, graceMs: number): AbortSignal {
  const grace = new AbortController();
  const onAbort = (): void => {
    setTimeout(() => grace.abort(signal.reason), graceMs).unref();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return grace.signal;
}
