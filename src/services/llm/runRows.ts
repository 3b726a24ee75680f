/** Puts rows through an endpoint: bounded in flight, nothing asked twice, every answer in the ledger before it counts. */
import { SecpiError } from '../../contract/errors.ts';
import type { Usage } from '../../contract/manifest.ts';
import type { Purse, Reservation } from '../budget/types.ts';
import type { ChatRequest } from './chat.ts';
import type { Completed, ModelEndpoint } from './endpoint.ts';
import type { Ledger, LedgerAnswer } from './ledger.ts';
import { costUsd, dearestOf, worstCaseUsd, type Price } from './price.ts';
import { requestKey, type AnswerIdentity } from './requestKey.ts';
import { UsageCount } from './usageCount.ts';

export interface RowRequest extends ChatRequest {
  /** The row's id, kept with the answer for people who look. */
  readonly rowId: string;
  readonly index: number;
}

export interface RunRequestsOptions<Row, Value> {
  readonly rows: readonly Row[];
  readonly toRequest: (row: Row, position: number) => RowRequest;
  /** Reads an answer. A SecpiError ANSWER_UNUSABLE makes a dead letter of the row; anything else ends the run. */
  readonly interpret: (answer: LedgerAnswer, row: Row) => Value;
  readonly identity: AnswerIdentity;
  /** The artefact that the answers are paid for, e.g. its fingerprint. */
  readonly payer: string;
  readonly ledger: Pick<Ledger, 'get' | 'append' | 'single'>;
  readonly endpoint: ModelEndpoint;
  /** Rows under way at the same time, those that wait for their turn or to be tried again included. */
  readonly lanes?: number;
  /** Of the endpoint's first address; its other addresses may have their own. */
  readonly price?: Price;
  /** Pays for what is sent; needs `price`. */
  readonly purse?: Purse;
  /** Awaited before every request goes out. */
  readonly lease?: () => Promise<void>;
  readonly signal?: AbortSignal;
  /** After every row; throttle at the receiver. */
  readonly onProgress?: (progress: RunProgress) => void;
}

export type RowResult<Value> =
  | { readonly kind: 'answered'; readonly value: Value; readonly answer: LedgerAnswer }
  /** Goes to the dead-letter part. `answer` is there when one was paid for but cannot be used. */
  | { readonly kind: 'dead'; readonly error: SecpiError; readonly answer: LedgerAnswer | null };

export interface RunProgress {
  readonly done: number;
  readonly total: number;
  readonly dead: number;
  readonly usage: Usage;
}

export interface RunRequestsResult<Value> {
  /** By position of the row. */
  readonly results: readonly RowResult<Value>[];
  /** Tokens and money paid for `payer`, by this call or an earlier one; what others had paid costs nothing. */
  readonly usage: Usage;
}

/**
 * Throws when no request would succeed (see `ModelEndpoint.ask`); when the signal is aborted, its reason, at once:
 * requests in flight are cut off and nothing is waited for. What was answered is in the ledger.
 */
export async function runRequests<Row, Value>(
  options: RunRequestsOptions<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const run = new RowRun(options, signal);
  const wanted = options.lanes ?? options.endpoint.concurrency * LANES_PER_REQUEST;
  const lanes = Array.from({ length: Math.min(wanted, options.rows.length) }, () => run.lane());
  const aborted = rejectOnAbort(signal);
  try {
    await Promise.race([Promise.all(lanes), aborted.promise]);
    return { results: run.results(), usage: run.usage };
  } finally {
    aborted.release();
    stop.abort(new SecpiError('INTERNAL', 'The run of rows ended.'));
    // Lanes that the abort stops end by themselves; their reason is known.
    void Promise.allSettled(lanes);
  }
}

/** Rows that wait to be tried again must not leave the endpoint idle. */
const LANES_PER_REQUEST = 2;
/** The last rows of a run: when only they fail, it is they that are at fault and not the endpoint. */
const TAIL_SHARE = 0.05;

type Answered =
  | { readonly kind: 'answer'; readonly answer: LedgerAnswer }
  | { readonly kind: 'refused'; readonly error: SecpiError };

class RowRun<Row, Value> {
  readonly #options: RunRequestsOptions<Row, Value>;
  readonly #signal: AbortSignal;
  readonly #count = new UsageCount();
  readonly #pending: IterableIterator<[number, Row]>;
  readonly #results: (RowResult<Value> | undefined)[];
  readonly #dearest: Price | undefined;
  #done = 0;
  #dead = 0;

  constructor(options: RunRequestsOptions<Row, Value>, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#pending = options.rows.entries();
    this.#results = Array.from({ length: options.rows.length });
    const { price, endpoint } = options;
    this.#dearest = price === undefined ? undefined : dearestOf([price, ...endpoint.prices]);
  }

  /** Takes rows until none is left. */
  async lane(): Promise<void> {
    for (const [position, row] of this.#pending) {
      this.#signal.throwIfAborted();
      const result = await this.#resultOf(row, position);
      this.#results[position] = result;
      this.#done += 1;
      if (result.kind === 'dead') this.#dead += 1;
      this.#report();
    }
  }

  results(): RowResult<Value>[] {
    return this.#results.filter((result) => result !== undefined);
  }

  get usage(): Usage {
    return this.#count.usage;
  }

  #nearlyDone(): boolean {
    const total = this.#options.rows.length;
    return this.#done > 0 && total - this.#done <= Math.max(1, total * TAIL_SHARE);
  }

  #report(): void {
    const { rows, onProgress } = this.#options;
    onProgress?.({ done: this.#done, total: rows.length, dead: this.#dead, usage: this.usage });
  }

  async #resultOf(row: Row, position: number): Promise<RowResult<Value>> {
    const answered = await this.#answerOf(this.#options.toRequest(row, position));
    if (answered.kind === 'refused') return { kind: 'dead', error: answered.error, answer: null };
    const { answer } = answered;
    try {
      return { kind: 'answered', value: this.#options.interpret(answer, row), answer };
    } catch (error) {
      if (error instanceof SecpiError && error.code === 'ANSWER_UNUSABLE')
        return { kind: 'dead', error, answer };
      throw error;
    }
  }

  /** Rows that ask the same share one request, whichever run of this process they belong to. */
  async #answerOf(request: RowRequest): Promise<Answered> {
    const key = requestKey(this.#options.identity, request, request.index);
    const { value, first } = await this.#options.ledger.single(key, () =>
      this.#fromLedgerOrEndpoint(key, request),
    );
    if (!first && value.kind === 'answer') this.#count.ledgerHit();
    return value;
  }

  async #fromLedgerOrEndpoint(key: string, request: RowRequest): Promise<Answered> {
    // The one before, whose work this might have shared, may have failed; this row's run may have ended since.
    this.#signal.throwIfAborted();
    const { ledger, payer } = this.#options;
    const present = await ledger.get(key);
    if (present !== null) {
      this.#count.ledgerHit();
      // An earlier attempt at the same artefact paid for it: a killed process must not make money disappear.
      if (present.payer === payer) {
        this.#count.sentBefore(present.attempt);
        this.#count.paid(present.usage, present.costUsd);
      }
      return { kind: 'answer', answer: present };
    }
    return await this.#ask(key, request);
  }

  async #ask(key: string, request: RowRequest): Promise<Answered> {
    const { endpoint, lease } = this.#options;
    let attempts = 0;
    const kept: { answer: LedgerAnswer | null } = { answer: null };
    const asked = await endpoint.ask(request, {
      signal: this.#signal,
      onSend: () => {
        attempts += 1;
        this.#count.sent();
        if (attempts > 1) this.#count.failed();
      },
      keep: async (completed) => {
        kept.answer = await this.#keep(key, request, completed);
      },
      othersAreDone: () => this.#nearlyDone(),
      ...(lease === undefined ? {} : { lease }),
      ...(this.#dearest === undefined ? {} : { reserve: async () => await this.#reserve(request) }),
    });
    if (kept.answer !== null) return { kind: 'answer', answer: kept.answer };
    if (asked.kind === 'completed') throw new SecpiError('INTERNAL', 'an answer was not kept.');
    if (attempts > 0) this.#count.failed();
    return asked;
  }

  async #reserve(request: RowRequest): Promise<Reservation> {
    const { purse } = this.#options;
    const worstUsd = this.#dearest === undefined ? 0 : worstCaseUsd(request, this.#dearest);
    const reservation = purse === undefined ? null : await purse.reserve(worstUsd, this.#signal);
    return {
      settle: (usd) => reservation?.settle(usd),
      release: () => reservation?.release(),
      abandon: () => {
        this.#count.unsettled(worstUsd);
        reservation?.abandon();
      },
    };
  }

  async #keep(
    key: string,
    { rowId, index }: RowRequest,
    { completion, attempt, reservation, price }: Completed,
  ): Promise<LedgerAnswer> {
    const { ledger, payer } = this.#options;
    const paidUsd = costUsd(completion.usage, price ?? this.#options.price);
    this.#count.paid(completion.usage, paidUsd);
    const answer: LedgerAnswer = {
      ...completion,
      key,
      payer,
      rowId,
      index,
      attempt,
      costUsd: paidUsd,
      answeredAt: new Date().toISOString(),
    };
    try {
      const kept = await ledger.append(answer);
      if (!isSame(kept, answer)) {
        this.#count.paidTwice(paidUsd);
        if (kept.payer === payer) this.#count.paid(kept.usage, kept.costUsd);
      }
      return kept;
    } finally {
      reservation?.settle(paidUsd);
    }
  }
}

/** The time of an answer in fractions of a microsecond is not met twice. */
function isSame(kept: LedgerAnswer, answer: LedgerAnswer): boolean {
  return (
    kept.latencyMs === answer.latencyMs && kept.answeredAt === answer.answeredAt && kept.text === answer.text
  );
}

function rejectOnAbort(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => undefined);
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}
