/** Reads what a batch brought: answers go to the ledger, refused rows die, the rest stays open. */
import type { SecpiError } from '../../../contract/errors.ts';
import { backoffMs } from '../backoff.ts';
import type { EndpointError, EndpointName } from '../errors.ts';
import type { Ledger, LedgerAnswer } from '../ledger.ts';
import { costUsd, type Price } from '../price.ts';
import type { KeyedRequest } from './inputFile.ts';
import { durationMs, type BatchJob } from './job.ts';
import type { BatchLimits } from './limits.ts';
import { readOutputLine, type LineOutcome } from './outputLine.ts';
import { sleepUnless, type BatchProvider } from './provider.ts';
import type { BatchRecord } from './record.ts';
import type { RequestBook } from './rowBook.ts';

export interface TakeContext {
  readonly provider: BatchProvider;
  readonly ledger: Pick<Ledger, 'append' | 'flush'>;
  readonly book: RequestBook;
  readonly endpoint: EndpointName;
  readonly limits: BatchLimits;
  readonly signal: AbortSignal;
  readonly price?: Price;
  readonly say: (text: string) => void;
}

export interface Taken {
  readonly answers: number;
  readonly costUsd: number;
  /** Why rows that stay open have no answer, where the batch says so. */
  readonly errors: ReadonlyMap<string, SecpiError>;
  /** Rows that may have been charged: the batch says nothing of them, or nothing that can be read. */
  readonly unaccounted: readonly KeyedRequest[];
  /** The account was refused in the middle (key, money, model): no other request would fare better. */
  readonly refused: EndpointError | null;
}

type RowError = Extract<LineOutcome, { kind: 'error' }>;

/**
 * Lines may come in any order, twice, torn, or for rows nobody asked about; an answer wins over an error of the same
 * row. A file with unreadable lines is read again (the download may be at fault) before they count as no answer.
 */
export async function takeResults(
  context: TakeContext,
  open: readonly KeyedRequest[],
  job: BatchJob,
  record: Pick<BatchRecord, 'payer' | 'attempt'>,
): Promise<Taken> {
  const { book } = context;
  const wanted = new Map(open.map((request) => [request.key, request]));
  const rowErrors = new Map<string, RowError>();
  const sums = { answers: 0, costUsd: 0 };

  const append = async (outcome: Extract<LineOutcome, { kind: 'answer' }>, request: KeyedRequest) => {
    const { completion, key } = outcome;
    const paidUsd = costUsd(completion.usage, context.price);
    const answer: LedgerAnswer = {
      ...completion,
      key,
      payer: record.payer,
      rowId: request.rowId,
      index: request.index,
      attempt: record.attempt,
      costUsd: paidUsd,
      answeredAt: new Date().toISOString(),
    };
    const kept = await context.ledger.append(answer);
    if (!isSameLine(kept, answer)) book.paidTwice(answer.usage, paidUsd);
    sums.answers += 1;
    sums.costUsd += paidUsd;
    book.answered(kept);
  };

  const lineContext = {
    endpoint: context.endpoint,
    latencyMs: durationMs(job),
    requestOf: (key: string) => wanted.get(key)?.chat,
  };
  const take = async (lines: readonly string[]): Promise<number> => {
    context.signal.throwIfAborted();
    const appends = new Map<string, Promise<void>>();
    let unreadable = 0;
    for (const line of lines) {
      const outcome = readOutputLine(line, lineContext);
      if (outcome.kind === 'unreadable') unreadable += 1;
      if (outcome.kind === 'unreadable' || outcome.kind === 'foreign') continue;
      const request = wanted.get(outcome.key);
      if (request === undefined || !book.isOpen(outcome.key) || appends.has(outcome.key)) continue;
      if (outcome.kind === 'error') rowErrors.set(outcome.key, outcome);
      else appends.set(outcome.key, append(outcome, request));
    }
    await Promise.all(appends.values());
    return unreadable;
  };

  for (const fileId of [job.output_file_id, job.error_file_id]) {
    if (fileId) await readWhole(context, fileId, take);
  }
  return { ...sums, ...settleErrors(context, open, rowErrors) };
}

/** Another process that reads the same file may have been faster: that is the same answer, paid once. */
function isSameLine(kept: LedgerAnswer, answer: LedgerAnswer): boolean {
  return kept.text === answer.text && kept.latencyMs === answer.latencyMs && kept.payer === answer.payer;
}

async function readWhole(
  { provider, limits, signal, say }: TakeContext,
  fileId: string,
  take: (lines: readonly string[]) => Promise<number>,
): Promise<void> {
  for (let download = 1; ; download += 1) {
    let unreadable = 0;
    const there = await provider.readLines(fileId, async (lines) => {
      unreadable += await take(lines);
    });
    if (!there) say(`the provider has the result file ${fileId} no more`);
    if (unreadable === 0 || download >= limits.maxDownloads) return;
    say(`${unreadable} lines of the result file ${fileId} cannot be read; it is read again`);
    await sleepUnless(backoffMs(download, limits.backoff, Math.random()), signal);
  }
}

function settleErrors(
  { book }: TakeContext,
  open: readonly KeyedRequest[],
  rowErrors: ReadonlyMap<string, RowError>,
): Pick<Taken, 'errors' | 'unaccounted' | 'refused'> {
  const errors = new Map<string, SecpiError>();
  const unaccounted: KeyedRequest[] = [];
  let refused: EndpointError | null = null;
  for (const request of open) {
    if (!book.isOpen(request.key)) continue;
    const outcome = rowErrors.get(request.key);
    if (outcome === undefined || outcome.charged) unaccounted.push(request);
    if (outcome === undefined) continue;
    const { error, key } = outcome;
    errors.set(key, error);
    if (error.kind === 'endpoint') refused ??= error;
    if (error.kind === 'request') book.died(key, error);
  }
  return { errors, unaccounted, refused };
}
