/**
 * The money of one run on this worker, shared by all its shards. Requests are reserved for in tranches that the run
 * granted; when none has room, another is asked for, one at a time. What waits is served in its order.
 */
import { randomBytes } from 'node:crypto';
import { SecpiError } from '../../contract/errors.ts';
import { patiently } from './patience.ts';
import { Tranche } from './tranche.ts';
import { TOUCH_EVERY_MS, TrancheFile } from './trancheFile.ts';
import { HolderGoneError, type Bank, type Purse, type PurseHolder, type Reservation } from './types.ts';

/** How often the holder is looked at while its cap does not cover the next request. */
const POLL_EVERY_MS = 2000;
/** How long `close` waits for a holder that does not answer, before the tranches are left to `recoverTranches`. */
const CLOSE_WITHIN_MS = 10_000;

export interface Shortage {
  readonly capUsd: number;
  readonly availableUsd: number;
  /** The worst case of the request that waits first. */
  readonly wantedUsd: number;
}

export interface PurseOptions {
  readonly bank: Bank;
  readonly holder: PurseHolder;
  /** Folder of this host, shared by its processes, that outlives them. */
  readonly dir: string;
  /** The cap does not cover the next request, and no request of this worker is open whose end could free money. */
  readonly onPaused?: (shortage: Shortage) => void;
  readonly onResumed?: () => void;
  /** The holder does not answer; it is tried again, and nothing is sent meanwhile that is not covered already. */
  readonly onTrouble?: (error: unknown) => void;
  readonly pollEveryMs?: number;
  readonly closeWithinMs?: number;
}

/** What went through this purse since it was opened, in USD. */
export interface PurseTotals {
  readonly spentUsd: number;
  readonly unsettledUsd: number;
  readonly reservedUsd: number;
  readonly tranches: number;
}

export interface OpenPurse extends Purse {
  spent(): PurseTotals;
  /** Settles everything; what is left returns to the run. A request still open is charged at its worst case. */
  close(): Promise<void>;
}

interface Waiting {
  readonly worstUsd: number;
  readonly resolve: (reservation: Promise<Reservation>) => void;
  readonly reject: (error: unknown) => void;
}

export async function openPurse(options: PurseOptions): Promise<OpenPurse> {
  return new TranchePurse(options);
}

class TranchePurse implements OpenPurse {
  readonly #options: PurseOptions;
  readonly #tranches: Tranche[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #closed = new AbortController();
  readonly #touching: NodeJS.Timeout;
  #funding: Promise<void> | null = null;
  #paused = false;
  /** Counts what may make a look at the holder worth while before its time. */
  #changes = 0;
  #wake: () => void = () => undefined;
  #ended = { spentUsd: 0, unsettledUsd: 0, tranches: 0 };

  constructor(options: PurseOptions) {
    this.#options = options;
    this.#touching = setInterval(() => {
      for (const { file } of this.#tranches) void file.touch();
    }, TOUCH_EVERY_MS);
    this.#touching.unref();
  }

  async reserve(worstUsd: number, signal: AbortSignal): Promise<Reservation> {
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    const tranche = this.#waiting.length === 0 ? this.#withRoomFor(worstUsd) : undefined;
    const reservation = await (tranche?.reserve(worstUsd) ?? this.#waitFor(worstUsd, signal));
    if (!signal.aborted) return reservation;
    reservation.release();
    throw signal.reason;
  }

  spent(): PurseTotals {
    const total = { ...this.#ended, reservedUsd: 0, tranches: this.#ended.tranches + this.#tranches.length };
    for (const tranche of this.#tranches) {
      const { spentUsd, unsettledUsd, reservedUsd } = tranche.amounts();
      total.spentUsd += spentUsd;
      total.unsettledUsd += unsettledUsd;
      total.reservedUsd += reservedUsd;
    }
    return total;
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    clearInterval(this.#touching);
    const reason = new SecpiError('PREEMPTED', 'the purse is closed.');
    this.#closed.abort(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    this.#change();
    await this.#funding;
    const within = AbortSignal.timeout(this.#options.closeWithinMs ?? CLOSE_WITHIN_MS);
    await Promise.all(this.#tranches.splice(0).map(async (tranche) => await this.#settle(tranche, within)));
  }

  #withRoomFor(worstUsd: number): Tranche | undefined {
    return this.#tranches.find((tranche) => tranche.fits(worstUsd));
  }

  #waitFor(worstUsd: number, signal: AbortSignal): Promise<Reservation> {
    const { promise, resolve, reject } = Promise.withResolvers<Reservation>();
    const entry: Waiting = { worstUsd, resolve, reject };
    const onAbort = (): void => {
      const at = this.#waiting.indexOf(entry);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(signal.reason);
      this.#onMoneyBack();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(entry);
    this.#fund();
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Serves who waits, in order. */
  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const tranche = this.#withRoomFor(next.worstUsd);
      if (tranche === undefined) return;
      this.#waiting.shift();
      next.resolve(tranche.reserve(next.worstUsd));
    }
  }

  readonly #onMoneyBack = (): void => {
    this.#serve();
    if (this.#waiting.length === 0 || this.#openRequests() === 0) this.#change();
  };

  #change(): void {
    this.#changes += 1;
    this.#wake();
  }

  #openRequests(): number {
    return this.#tranches.reduce((sum, { open }) => sum + open, 0);
  }

  #fund(): void {
    this.#funding ??= this.#fundWaiting()
      .catch((error: unknown) => {
        const reason = error instanceof HolderGoneError ? holderGone(error) : error;
        for (const { reject } of this.#waiting.splice(0)) reject(reason);
      })
      .finally(() => {
        this.#funding = null;
        this.#resume();
        if (this.#waiting.length > 0) this.#fund();
      });
  }

  async #fundWaiting(): Promise<void> {
    for (;;) {
      const changes = this.#changes;
      this.#serve();
      const [next] = this.#waiting;
      if (next === undefined) return;
      await this.#settleIdle();
      // A query leaves no history, and no refusal to show in the UI while requests are open whose end may free money.
      const look = this.#paused || this.#openRequests() > 0;
      if (look && (await this.#availableUsd()) < next.worstUsd) await this.#nextLook(changes);
      else await this.#askFor(next.worstUsd);
    }
  }

  async #availableUsd(): Promise<number> {
    const { availableUsd } = await this.#patiently(async () => await this.#options.bank.state());
    return availableUsd;
  }

  /** Returns at once when something changed since `changes` was read. */
  async #nextLook(changes: number): Promise<void> {
    if (this.#changes !== changes) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.pollEveryMs ?? POLL_EVERY_MS);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  async #askFor(atLeastUsd: number): Promise<void> {
    const { bank, dir, holder } = this.#options;
    const id = randomBytes(8).toString('hex');
    // The file comes first: a tranche granted to a process that has just died must be found.
    const file = await TrancheFile.create(dir, id, holder);
    try {
      const answer = await this.#patiently(async () => await bank.grant({ id, atLeastUsd }));
      if (answer.status === 'granted') {
        await file.append({ granted: answer.usd });
        this.#tranches.push(new Tranche(id, answer.usd, file, this.#onMoneyBack));
        this.#resume();
        return;
      }
      await file.drop();
      if (!this.#paused) {
        this.#paused = true;
        this.#options.onPaused?.({
          capUsd: answer.capUsd,
          availableUsd: answer.availableUsd,
          wantedUsd: atLeastUsd,
        });
      }
    } catch (error) {
      if (error instanceof HolderGoneError) await file.drop();
      else await file.abandon();
      throw error;
    }
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#options.onResumed?.();
  }

  /** Tranches that hold nothing open and cannot hold what waits next: what is left of them may make up a new one. */
  async #settleIdle(): Promise<void> {
    for (const tranche of this.#tranches.filter(({ open }) => open === 0)) {
      const [next] = this.#waiting;
      if (tranche.open > 0 || next === undefined || tranche.fits(next.worstUsd)) continue;
      this.#tranches.splice(this.#tranches.indexOf(tranche), 1);
      await this.#settle(tranche, this.#closed.signal);
    }
  }

  async #settle(tranche: Tranche, until: AbortSignal): Promise<void> {
    const settlement = tranche.end();
    const { spentUsd, unsettledUsd, tranches } = this.#ended;
    this.#ended = {
      spentUsd: spentUsd + settlement.spentUsd,
      unsettledUsd: unsettledUsd + settlement.unsettledUsd,
      tranches: tranches + 1,
    };
    try {
      await this.#patiently(async () => await this.#options.bank.settle(settlement), until);
    } catch (error) {
      if (!(error instanceof HolderGoneError)) {
        // Found and settled by `recoverTranches`, which reads the same sums from the file.
        this.#options.onTrouble?.(error);
        await tranche.file.abandon();
        return;
      }
    }
    await tranche.file.drop();
  }

  async #patiently<T>(work: () => Promise<T>, until: AbortSignal = this.#closed.signal): Promise<T> {
    return await patiently(work, {
      until,
      isFinal: (error) => error instanceof HolderGoneError,
      onTrouble: (error) => this.#options.onTrouble?.(error),
    });
  }
}

function holderGone(cause: HolderGoneError): SecpiError {
  return new SecpiError('PREEMPTED', `${cause.message}.`, {
    remedy: 'Nothing is to be done: its work is cancelled with it.',
    cause,
  });
}
