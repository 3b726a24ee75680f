/** Puts rows through a provider's batch interface: files and jobs that take hours, every answer in the ledger before it counts. */
import { SecpiError } from '../../../contract/errors.ts';
import type { Purse } from '../../budget/types.ts';
import { mapLimit } from '../../store/parallel.ts';
import type { EndpointName } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import type { RunRequestsOptions, RunRequestsResult } from '../runRows.ts';
import type { BodyOptions } from '../wire.ts';
import { splitRequests } from './inputFile.ts';
import { DEFAULT_BATCH_LIMITS, type BatchLimits } from './limits.ts';
import { runPart, type PartContext } from './part.ts';
import { BatchProvider, type BatchApi } from './provider.ts';
import { BatchRecords, type BatchObjects } from './record.ts';
import { RowBook } from './rowBook.ts';

export interface RunBatchOptions<Row, Value> extends Pick<
  RunRequestsOptions<Row, Value>,
  'rows' | 'toRequest' | 'interpret' | 'identity' | 'payer' | 'price' | 'lease' | 'signal' | 'onProgress'
> {
  readonly ledger: Pick<Ledger, 'get' | 'append' | 'flush'>;
  /** `createBatchClient`. */
  readonly openai: BatchApi;
  /** Names the endpoint in errors; its `model` is the one that is asked. */
  readonly endpoint: EndpointName;
  readonly tokenLimitField: BodyOptions['tokenLimitField'];
  readonly objects: BatchObjects;
  /** `answerSpace`: where the ledger and the records of the jobs are. */
  readonly space: string;
  readonly pollEveryMs: number;
  /**
   * Whoever asks, the same after a restart: rows that its batches refused stay dead letters for it, and its attempts
   * are counted together; another run asks them anew. Default: the payer.
   */
  readonly run?: string;
  /** The worst case of a whole batch is set aside before it is created. */
  readonly purse?: Purse;
  /** Asked when the signal is aborted: true cancels the provider's jobs (a user's cancel), false leaves them (preemption). */
  readonly cancelRemote?: () => boolean;
  /** What the provider's jobs do, in words, whenever it changes. */
  readonly onState?: (text: string) => void;
  readonly limits?: Partial<BatchLimits>;
}

const PARALLEL_LOOKUPS = 64;
/** Jobs of one call at the provider at the same time. */
const PARALLEL_PARTS = 16;

/**
 * Resolves like `runRequests`. Throws BATCH_FAILED with the provider's words when it refuses a job, EndpointError when it
 * refuses the account or fails for `patienceMs`; when the signal is aborted, its reason: the jobs go on at the
 * provider, and the next call with the same rows takes what they bring. `onProgress` comes with every row and every
 * answered poll.
 */
export async function runBatchRequests<Row, Value>(
  options: RunBatchOptions<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const limits = { ...DEFAULT_BATCH_LIMITS, ...options.limits };
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  signal.throwIfAborted();
  const book = new RowBook(options);
  await mapLimit(book.requests, PARALLEL_LOOKUPS, async ({ key }) => {
    const present = await options.ledger.get(key);
    if (present !== null) book.found(present);
  });
  const body = { model: options.endpoint.model, tokenLimitField: options.tokenLimitField };
  const { parts, tooLarge } = splitRequests(book.requests, body, limits);
  for (const { key } of tooLarge) {
    const problem = `the request is larger than a batch file may be (${limits.maxFileBytes} bytes).`;
    book.died(key, new SecpiError('ENDPOINT_REFUSED', problem));
  }
  const contextOf = (part: number): PartContext => {
    const say = sayChanges(parts.length > 1 ? `part ${part + 1} of ${parts.length}: ` : '', options.onState);
    return {
      provider: new BatchProvider({
        api: options.openai,
        endpoint: options.endpoint,
        limits,
        signal,
        say,
      }),
      records: new BatchRecords(options.objects, options.space),
      ledger: options.ledger,
      book,
      body,
      endpoint: options.endpoint,
      payer: options.payer,
      run: options.run ?? options.payer,
      pollEveryMs: options.pollEveryMs,
      limits,
      signal,
      // A part that fails stops the others, whose jobs go on.
      cancelRemote: () => options.signal?.aborted === true && (options.cancelRemote?.() ?? false),
      say,
      ...(options.price === undefined ? {} : { price: options.price }),
      ...(options.purse === undefined ? {} : { purse: options.purse }),
      ...(options.lease === undefined ? {} : { lease: options.lease }),
    };
  };
  await mapLimit(parts, PARALLEL_PARTS, async (requests, part) => {
    try {
      await runPart(contextOf(part), requests);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  return { results: book.results(), usage: book.usage() };
}

function sayChanges(prefix: string, onState: ((text: string) => void) | undefined): (text: string) => void {
  let last = '';
  return (text) => {
    if (text === last) return;
    last = text;
    onState?.(prefix + text);
  };
}
