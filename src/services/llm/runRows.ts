/** Puts rows through an endpoint: bounded in flight, nothing asked twice, every answer in the ledger before it counts. */
import { SecpiError } from '../../contract/errors.ts';
import type { Usage } from '../../contract/manifest.ts';
import { emptyUsage } from '../../contract/usage.ts';
import { DEFAULT_RETRY_LIMITS, PatientEndpoint, type RetryLimits } from './ask.ts';
import type { ChatRequest, TokenUsage } from './chat.ts';
import type { ChatClient } from './client.ts';
import type { Ledger, LedgerAnswer } from './ledger.ts';
import { costUsd, type Price } from './price.ts';
import { requestKey, type AnswerIdentity } from './requestKey.ts';

export interface RowRequest extends ChatRequest {
  /** The row's id, kept with the answer for people who look. */
  readonly rowId: string;
  /** Which sample of the same request: 0, 1, … */
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
  readonly ledger: Pick<Ledger, 'get' | 'append'>;
  readonly client: Pick<ChatClient, 'complete'>;
  /** Requests in flight, at most. */
  readonly concurrency: number;
  readonly signal?: AbortSignal;
  /** After every row; throttle at the receiver. */
  readonly onProgress?: (progress: RunProgress) => void;
  readonly price?: Price;
  readonly limits?: Partial<RetryLimits>;
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
 * Throws when no request would succeed (see `PatientEndpoint.ask`); when the signal is aborted, its reason, at once:
 * requests in flight are cut off and nothing is waited for. What was answered is in the ledger.
 */
export async function runRequests<Row, Value>(
  options: RunRequestsOptions<Row, Value>,
): Promise<RunRequestsResult<Value>> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const run = new RowRun(options, signal);
  const lanes = Array.from({ length: Math.min(options.concurrency, options.rows.length) }, () => run.lane());
  const aborted = rejectOnAbort(signal);
  try {
    await Promise.race([Promise.all(lanes), aborted.promise]);
    return { results: run.results(), usage: run.usage() };
  } finally {
    aborted.release();
    stop.abort(new SecpiError('INTERNAL', 'The run of rows ended.'));
    // Lanes that the abort stops end by themselves; their reason is known.
    void Promise.allSettled(lanes);
  }
}

/** The last rows of a run: when only they fail, it is they that are at fault and not the endpoint. */
const TAIL_SHARE = 0.05;

type Answered =
  | { readonly kind: 'answer'; readonly answer: LedgerAnswer }
  | { readonly kind: 'refused'; readonly error: SecpiError };

class RowRun<Row, Value> {
  readonly #options: RunRequestsOptions<Row, Value>;
  readonly #signal: AbortSignal;
  readonly #endpoint: PatientEndpoint;
  readonly #pending: IterableIterator<[number, Row]>;
  readonly #results = new Map<number, RowResult<Value>>();
  readonly #underWay = new Map<string, Promise<Answered>>();
  readonly #paid = { promptTokens: 0, completionTokens: 0, costUsd: 0 };
  #ledgerHits = 0;
  #dead = 0;

  constructor(options: RunRequestsOptions<Row, Value>, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#endpoint = new PatientEndpoint(options.client, { ...DEFAULT_RETRY_LIMITS, ...options.limits }, () =>
      this.#nearlyDone(),
    );
    this.#pending = options.rows.entries();
  }

  async lane(): Promise<void> {
    for (const [position, row] of this.#pending) {
      this.#signal.throwIfAborted();
      const result = await this.#resultOf(row, position);
      this.#results.set(position, result);
      if (result.kind === 'dead') this.#dead += 1;
      this.#report();
    }
  }

  results(): RowResult<Value>[] {
    return [...this.#results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
  }

  usage(): Usage {
    return { ...emptyUsage, requests: this.#endpoint.sent, ledgerHits: this.#ledgerHits, ...this.#paid };
  }

  #nearlyDone(): boolean {
    const total = this.#options.rows.length;
    const done = this.#results.size;
    return done > 0 && total - done <= Math.max(1, total * TAIL_SHARE);
  }

  #report(): void {
    const { rows, onProgress } = this.#options;
    onProgress?.({ done: this.#results.size, total: rows.length, dead: this.#dead, usage: this.usage() });
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

  #addPaid(usage: TokenUsage, paidUsd: number): void {
    this.#paid.promptTokens += usage.promptTokens;
    this.#paid.completionTokens += usage.completionTokens;
    this.#paid.costUsd += paidUsd;
  }

  /** Rows that ask the same share one request. */
  async #answerOf(request: RowRequest): Promise<Answered> {
    const key = requestKey(this.#options.identity, request, request.index);
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) {
      const shared = await underWay;
      if (shared.kind === 'answer') this.#ledgerHits += 1;
      return shared;
    }
    const work = this.#fromLedgerOrEndpoint(key, request);
    this.#underWay.set(key, work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #fromLedgerOrEndpoint(key: string, request: RowRequest): Promise<Answered> {
    const { ledger, price, payer } = this.#options;
    const present = await ledger.get(key);
    if (present !== null) {
      this.#ledgerHits += 1;
      // An earlier attempt at the same artefact paid for it: a killed process must not make money disappear.
      if (present.payer === payer) this.#addPaid(present.usage, present.costUsd);
      return { kind: 'answer', answer: present };
    }
    const { rowId, index, messages, sampling, responseSchema } = request;
    const chat: ChatRequest = {
      messages,
      sampling,
      ...(responseSchema === undefined ? {} : { responseSchema }),
    };
    const asked = await this.#endpoint.ask(chat, this.#signal);
    if (asked.kind === 'refused') return asked;
    const { completion, attempt } = asked;
    const paidUsd = costUsd(completion.usage, price);
    this.#addPaid(completion.usage, paidUsd);
    const answer = {
      ...completion,
      key,
      payer,
      rowId,
      index,
      attempt,
      costUsd: paidUsd,
      answeredAt: new Date().toISOString(),
    };
    return { kind: 'answer', answer: await ledger.append(answer) };
  }
}

function rejectOnAbort(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => undefined);
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}
