/** The requests of one input file, from batch to batch until each has its answer or its end. */
import { SecpiError } from '../../../contract/errors.ts';
import { createJob, isIn, refusedFrom, worstOf, type CreateJobContext, type HeldJob } from './createJob.ts';
import type { KeyedRequest } from './inputFile.ts';
import { describeJob, hasEnded, refusalOf, wasQueueFull, type BatchJob } from './job.ts';
import { sleepUnless } from './provider.ts';
import { batchKeyOf, type NewRecord, type RecordIn, type Stored } from './record.ts';
import type { RequestBook } from './rowBook.ts';
import { takeResults, type Taken, type TakeContext } from './takeResults.ts';

export interface PartContext extends CreateJobContext, TakeContext {
  readonly book: RequestBook;
  readonly payer: string;
  /** The run that asks; see `BatchRecord.run`. */
  readonly run: string;
  /** True when the abort is a user's cancel: the provider's job is then cancelled too. */
  readonly cancelRemote: () => boolean;
  /** Words for people, whenever they change. */
  readonly say: (text: string) => void;
}

export async function runPart(context: PartContext, requests: readonly KeyedRequest[]): Promise<void> {
  await new PartRun(context, requests).run();
}

class PartRun {
  readonly #context: PartContext;
  readonly #requests: readonly KeyedRequest[];
  readonly #lastErrors = new Map<string, SecpiError>();
  #lastStatus = '';

  constructor(context: PartContext, requests: readonly KeyedRequest[]) {
    this.#context = context;
    this.#requests = requests;
  }

  async run(): Promise<void> {
    const { records, limits, signal } = this.#context;
    const keys = this.#requests.map(({ key }) => key);
    let counted = 0;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const batchKey = batchKeyOf(keys, attempt);
      const stored = await records.read(batchKey);
      const open = this.#open();
      if (open.length === 0) {
        if (stored === null) return;
        if (isIn(stored, 'created')) {
          await this.#context.ledger.flush();
          await this.#markDone(stored);
        }
        continue;
      }
      if (stored === null && counted >= limits.maxAttempts) return this.#bury(open, counted);
      if (await this.#attempt(batchKey, attempt, stored)) counted += 1;
    }
  }

  #open(): KeyedRequest[] {
    return this.#requests.filter(({ key }) => this.#context.book.isOpen(key));
  }

  /** True when the batch counts as one of the attempts of this run. */
  async #attempt(batchKey: string, attempt: number, present: Stored | null): Promise<boolean> {
    const { payer, run, records, book } = this.#context;
    for (let stored = present; ; stored = await records.read(batchKey)) {
      if (stored !== null && isIn(stored, 'refused')) return false;
      if (stored !== null && isIn(stored, 'done')) return this.#takeAgain(stored);
      const open = this.#open();
      const fresh: NewRecord = { payer, run, attempt, requests: open.length };
      const held = await createJob(this.#context, batchKey, fresh, open, stored);
      if (held === null) continue;
      if (held.isOwn) book.sent(open.length, attempt);
      const job = await this.#untilEnded(held);
      if (await this.#queueWasFull(batchKey, held, job)) continue;
      await this.#finish(held, job);
      return true;
    }
  }

  /** A batch of this run that ended before: its answers are in the ledger, why others failed is in its files. */
  async #takeAgain({ record }: Stored<RecordIn<'done'>>): Promise<boolean> {
    if (record.run !== this.#context.run) return false;
    const job = await this.#context.provider.retrieve(record.batchId);
    if (job === null) return true;
    const taken = await takeResults(this.#context, this.#open(), job, record);
    await this.#context.ledger.flush();
    this.#note(job, taken);
    return true;
  }

  async #untilEnded({ stored, reservation }: HeldJob): Promise<BatchJob> {
    const { provider, pollEveryMs, signal, say, book, records } = this.#context;
    const { batchId } = stored.record;
    try {
      for (;;) {
        signal.throwIfAborted();
        const job = await provider.retrieve(batchId);
        if (job === null) {
          throw new SecpiError('BATCH_FAILED', `the provider does not know the batch job ${batchId}.`, {
            remedy: `Use the key of the account that created it; or delete ${records.uriOf(batchKeyOfRecord(stored))}: the rows are then asked, and paid, anew.`,
          });
        }
        say(describeJob(job));
        // A provider that answers is alive, however long the job takes.
        book.report();
        if (hasEnded(job)) return job;
        await sleepUnless(pollEveryMs, signal);
      }
    } catch (error) {
      reservation?.abandon();
      if (signal.aborted) await this.#cancelIfAsked(stored.record);
      throw error;
    }
  }

  /** The job of another run is left to it. */
  async #cancelIfAsked({ batchId, run }: RecordIn<'created'>): Promise<void> {
    const { cancelRemote, provider } = this.#context;
    if (cancelRemote() && run === this.#context.run) await provider.cancel(batchId);
  }

  /** Nothing was done and nothing is wrong: later the same job is created anew. */
  async #queueWasFull(batchKey: string, { stored, reservation }: HeldJob, job: BatchJob): Promise<boolean> {
    if (!wasQueueFull(job)) return false;
    const { records, limits, signal, say } = this.#context;
    reservation?.release();
    const waitSeconds = Math.ceil(limits.queueFullWaitMs / 1000);
    say(`batch ${job.id}: the provider's queue is full (${refusalOf(job)}); again in ${waitSeconds} s`);
    await sleepUnless(limits.queueFullWaitMs, signal);
    await records.claim(batchKey, stored.record, stored);
    return true;
  }

  async #finish({ stored, reservation }: HeldJob, job: BatchJob): Promise<void> {
    const { ledger, records, price } = this.#context;
    let taken: Taken;
    try {
      taken = await takeResults(this.#context, this.#open(), job, stored.record);
    } catch (error) {
      reservation?.abandon();
      throw error;
    }
    // What nobody accounts for may have been charged.
    const unknownUsd = price === undefined ? 0 : worstOf(taken.unaccounted, price);
    const refusal = taken.answers === 0 ? refusalOf(job) : null;
    if (refusal === null) {
      reservation?.settle(taken.costUsd + unknownUsd);
      this.#context.book.unsettled(unknownUsd);
    } else reservation?.release();
    // Before the record says so: the answers must outlive this host.
    await ledger.flush();
    this.#note(job, taken);
    const reason = refusal ?? taken.refused?.problem;
    if (reason === undefined) return this.#markDone(stored);
    await records.replace(stored, refusedFrom(stored.record, job.id, reason));
    throw (
      taken.refused ??
      new SecpiError('BATCH_FAILED', `the provider refused the batch job ${job.id}: ${reason}.`)
    );
  }

  #note(job: BatchJob, taken: Taken): void {
    this.#lastStatus = job.status;
    for (const [key, error] of taken.errors) this.#lastErrors.set(key, error);
  }

  /** After the flush. Another process that did the same is no failure. */
  async #markDone(stored: Stored<RecordIn<'created'>>): Promise<void> {
    await this.#context.records.replace(stored, { ...stored.record, state: 'done' });
  }

  #bury(open: readonly KeyedRequest[], attempts: number): void {
    const ended = `${attempts} batches ended without an answer, the last ${this.#lastStatus || 'unknown'}`;
    if (open.length === this.#requests.length && this.#lastStatus !== 'completed') {
      throw new SecpiError('BATCH_FAILED', `${ended}; not one of ${open.length} rows was answered.`);
    }
    for (const { key } of open) {
      const error = this.#lastErrors.get(key) ?? new SecpiError('ENDPOINT_OVERLOADED', `${ended}.`);
      this.#context.book.died(key, error);
    }
  }
}

/** The name of the job is the last part of its record's key. */
function batchKeyOfRecord({ key }: Stored): string {
  return key.slice(key.lastIndexOf('/') + 1, -'.json'.length);
}
