/** The provider's batch interface, with patience: what passes by itself is waited for, the rest is thrown. */
import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import { NotFoundError } from 'openai';
import { SecpiError } from '../../../contract/errors.ts';
import { splitLines } from '../../store/lines.ts';
import { backoffMs } from '../backoff.ts';
import { EndpointError, toEndpointError, type EndpointName } from '../errors.ts';
import { batchJobSchema, wasQueueFull, type BatchJob } from './job.ts';
import type { BatchLimits } from './limits.ts';

export type BatchApi = Pick<OpenAI, 'files' | 'batches'>;

/** The job's name in the provider's metadata: `{secpi: <batchKey>}`. */
const METADATA_NAME = 'secpi';
const LIST_PAGE_JOBS = 100;
const LINES_AT_ONCE = 256;
const CANCEL_LIMIT_MS = 10_000;
/** A retry inside the client would create a job twice; waits are decided here. */
const ONCE = { maxRetries: 0 } as const;

export interface ProviderOptions {
  readonly api: BatchApi;
  readonly endpoint: EndpointName;
  readonly limits: BatchLimits;
  readonly signal: AbortSignal;
  /** Words for people: when the provider fails, before the wait. */
  readonly say: (text: string) => void;
}

export class BatchProvider {
  readonly #options: ProviderOptions;
  #uploading: Promise<unknown> = Promise.resolve();

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** The id of the uploaded input file. One upload at a time: a file is in memory while it goes. */
  upload(lines: () => string[], name: string): Promise<string> {
    const work = this.#uploading.then(async () => {
      const file = new File(lines(), `${name}.jsonl`, { type: 'application/jsonl' });
      const { id } = await this.#patiently((signal) =>
        this.#options.api.files.create({ file, purpose: 'batch' }, { ...ONCE, signal }),
      );
      return id;
    });
    this.#uploading = work.catch(() => undefined);
    return work;
  }

  /**
   * Creates the job once. `find` is asked before it is tried again, when the outcome of a try is not known. The
   * signal may be another than that of the run: a creation on its way is worth waiting for.
   */
  async create(inputFileId: string, batchKey: string, signal: AbortSignal): Promise<BatchJob> {
    let tries = 0;
    return this.#patiently(async () => {
      tries += 1;
      const found = tries === 1 ? null : await this.#findCreated(batchKey, inputFileId, signal);
      if (found !== null) return found;
      const created = await this.#options.api.batches.create(
        {
          input_file_id: inputFileId,
          endpoint: '/v1/chat/completions',
          completion_window: '24h',
          metadata: { [METADATA_NAME]: batchKey },
        },
        { ...ONCE, signal },
      );
      return this.#jobOf(created);
    }, signal);
  }

  /** After a creation of unknown outcome: not to be told whether the job exists is no refusal of it. */
  async #findCreated(batchKey: string, inputFileId: string, signal: AbortSignal): Promise<BatchJob | null> {
    try {
      return await this.#find(batchKey, inputFileId, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toEndpointError(thrown, this.#options.endpoint);
      if (!isRefusal(error)) throw error;
      const problem = `whether the batch job was created is not known, and its list is refused: ${error.problem}`;
      throw new PassThrough('unknown', { cause: new SecpiError('BATCH_FAILED', problem, { cause: error }) });
    }
  }

  /** A job of this name, or over this input file where a provider drops metadata; the oldest of several. */
  find(batchKey: string, inputFileId: string | null): Promise<BatchJob | null> {
    return this.#patiently((signal) => this.#find(batchKey, inputFileId, signal));
  }

  async #find(batchKey: string, inputFileId: string | null, signal: AbortSignal): Promise<BatchJob | null> {
    let oldest: BatchJob | null = null;
    for await (const listed of this.#options.api.batches.list(
      { limit: LIST_PAGE_JOBS },
      { ...ONCE, signal },
    )) {
      const job = this.#jobOf(listed);
      const ours =
        job.metadata?.[METADATA_NAME] === batchKey ||
        (inputFileId !== null && job.input_file_id === inputFileId);
      if (
        ours &&
        !wasQueueFull(job) &&
        (oldest === null || (job.created_at ?? 0) <= (oldest.created_at ?? 0))
      )
        oldest = job;
    }
    return oldest;
  }

  /** Null when the provider does not know the job (any more). */
  async retrieve(batchId: string): Promise<BatchJob | null> {
    return this.#patiently(async (signal) => {
      const job = await orNull(this.#options.api.batches.retrieve(batchId, { ...ONCE, signal }));
      return job === null ? null : this.#jobOf(job);
    });
  }

  /**
   * Hands over the lines of a result file; a download that breaks starts again from the first line. False when the
   * provider has the file no more.
   */
  async readLines(fileId: string, onLines: (lines: readonly string[]) => Promise<void>): Promise<boolean> {
    return this.#patiently(async (signal) => {
      const response = await orNull(this.#options.api.files.content(fileId, { ...ONCE, signal }));
      if (response === null) return false;
      let lines: string[] = [];
      for await (const line of splitLines(response.body ?? new ReadableStream<Uint8Array>())) {
        lines.push(line);
        if (lines.length < LINES_AT_ONCE) continue;
        await taking(onLines(lines));
        lines = [];
      }
      await taking(onLines(lines));
      return true;
    });
  }

  /** Asks for the job's end, once, and does not wait for it: who cancels is leaving. Says what became of it. */
  async cancel(batchId: string): Promise<void> {
    const { api, endpoint, say } = this.#options;
    try {
      await api.batches.cancel(batchId, { ...ONCE, timeout: CANCEL_LIMIT_MS });
      say(`batch ${batchId}: asked to cancel`);
    } catch (error) {
      say(`batch ${batchId}: not cancelled: ${toEndpointError(error, endpoint).problem}`);
    }
  }

  #jobOf(body: unknown): BatchJob {
    const parsed = batchJobSchema.safeParse(body);
    if (parsed.success) return parsed.data;
    const { baseUrl } = this.#options.endpoint;
    throw new EndpointError('fault', 'ENDPOINT_OVERLOADED', `the answer is no batch job (${baseUrl}).`, {
      cause: parsed.error,
    });
  }

  async #patiently<T>(
    call: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal = this.#options.signal,
  ): Promise<T> {
    const { limits, endpoint, say } = this.#options;
    const startedMs = performance.now();
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await call(signal);
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof PassThrough) throw thrown.cause;
        const error = toEndpointError(thrown, endpoint);
        if (error.kind === 'endpoint' || error.kind === 'request') throw error;
        const waitMs = error.retryAfterMs ?? backoffMs(failures, limits.backoff, Math.random());
        if (performance.now() - startedMs + waitMs > limits.patienceMs) throw error;
        say(`the provider fails: ${error.problem}`);
        await sleepUnless(waitMs, signal);
      }
    }
  }
}

/** Carries an error that is not waited for past the patience, as its cause. */
class PassThrough extends Error {}

async function taking(taken: Promise<void>): Promise<void> {
  try {
    await taken;
  } catch (cause) {
    throw new PassThrough('lines were not taken', { cause });
  }
}

/** Throws the signal's reason when it is aborted meanwhile. */
export async function sleepUnless(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await sleep(ms, undefined, { signal });
  } catch (interrupted) {
    signal.throwIfAborted();
    throw interrupted;
  }
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

/** True for an answer that says no: the job was not created, nothing is charged. */
export function isRefusal(error: unknown): error is EndpointError {
  return error instanceof EndpointError && (error.kind === 'request' || error.kind === 'endpoint');
}
