/** What is known of each row of a run: its request, its answer or its end. Rows that ask the same share a request. */
import { SecpiError } from '../../../contract/errors.ts';
import type { Usage } from '../../../contract/manifest.ts';
import type { LedgerAnswer } from '../ledger.ts';
import type { TokenUsage } from '../chat.ts';
import { requestKey } from '../requestKey.ts';
import type { RowResult, RunRequestsOptions } from '../runRows.ts';
import { UsageCount } from '../usageCount.ts';
import type { KeyedRequest } from './inputFile.ts';

type BookOptions<Row, Value> = Pick<
  RunRequestsOptions<Row, Value>,
  'rows' | 'toRequest' | 'interpret' | 'identity' | 'payer' | 'onProgress'
>;

/** The book without the types of its rows. */
export interface RequestBook {
  isOpen(key: string): boolean;
  answered(answer: LedgerAnswer): void;
  died(key: string, error: SecpiError): void;
  sent(requests: number, attempt: number): void;
  /** An answer that the ledger had from elsewhere by the time the batch brought it. */
  paidTwice(usage: TokenUsage, usd: number): void;
  /** Rows that may have been charged without an answer, at their worst case. */
  unsettled(worstUsd: number): void;
  report(): void;
}

export class RowBook<Row, Value> implements RequestBook {
  /** Distinct requests in the order of their first rows. */
  readonly requests: readonly KeyedRequest[];
  readonly #options: BookOptions<Row, Value>;
  readonly #positions = new Map<string, { readonly position: number; readonly row: Row }[]>();
  readonly #results = new Map<number, RowResult<Value>>();
  readonly #open = new Set<string>();
  readonly #count = new UsageCount();
  #dead = 0;

  constructor(options: BookOptions<Row, Value>) {
    this.#options = options;
    const requests = new Map<string, KeyedRequest>();
    for (const [position, row] of options.rows.entries()) {
      const { rowId, index, messages, sampling, responseSchema } = options.toRequest(row, position);
      const chat = { messages, sampling, index, ...(responseSchema === undefined ? {} : { responseSchema }) };
      const key = requestKey(options.identity, chat, index);
      const places = this.#positions.get(key);
      if (places !== undefined) {
        places.push({ position, row });
        continue;
      }
      this.#positions.set(key, [{ position, row }]);
      requests.set(key, { key, rowId, index, chat });
      this.#open.add(key);
    }
    this.requests = [...requests.values()];
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /** An answer that the ledger had. */
  found(answer: LedgerAnswer): void {
    this.#hit(this.#positions.get(answer.key)?.length ?? 0);
    this.#settle(answer);
  }

  /** An answer that a batch brought. Throws what `interpret` throws, unless it makes a dead letter of the row. */
  answered(answer: LedgerAnswer): void {
    // Rows that share the request are answered as if the ledger had had it.
    this.#hit((this.#positions.get(answer.key)?.length ?? 1) - 1);
    this.#settle(answer);
  }

  died(key: string, error: SecpiError): void {
    for (const { position } of this.#close(key)) this.#add(position, { kind: 'dead', error, answer: null });
  }

  sent(requests: number, attempt: number): void {
    for (let at = 0; at < requests; at += 1) {
      this.#count.sent();
      if (attempt > 1) this.#count.failed();
    }
  }

  paidTwice(usage: TokenUsage, usd: number): void {
    this.#count.paid(usage, usd);
    this.#count.paidTwice(usd);
  }

  unsettled(worstUsd: number): void {
    if (worstUsd > 0) this.#count.unsettled(worstUsd);
  }

  #hit(rows: number): void {
    for (let at = 0; at < rows; at += 1) this.#count.ledgerHit();
  }

  results(): RowResult<Value>[] {
    return [...this.#results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
  }

  usage(): Usage {
    return this.#count.usage;
  }

  report(): void {
    const { rows, onProgress } = this.#options;
    onProgress?.({ done: this.#results.size, total: rows.length, dead: this.#dead, usage: this.usage() });
  }

  #settle(answer: LedgerAnswer): void {
    const places = this.#close(answer.key);
    // What another artefact paid for costs this one nothing.
    if (places.length > 0 && answer.payer === this.#options.payer)
      this.#count.paid(answer.usage, answer.costUsd);
    for (const { position, row } of places) this.#add(position, this.#resultOf(answer, row));
  }

  #close(key: string): { readonly position: number; readonly row: Row }[] {
    return this.#open.delete(key) ? (this.#positions.get(key) ?? []) : [];
  }

  #resultOf(answer: LedgerAnswer, row: Row): RowResult<Value> {
    try {
      return { kind: 'answered', value: this.#options.interpret(answer, row), answer };
    } catch (error) {
      if (error instanceof SecpiError && error.code === 'ANSWER_UNUSABLE')
        return { kind: 'dead', error, answer };
      throw error;
    }
  }

  #add(position: number, result: RowResult<Value>): void {
    this.#results.set(position, result);
    if (result.kind === 'dead') this.#dead += 1;
    this.report();
  }
}
