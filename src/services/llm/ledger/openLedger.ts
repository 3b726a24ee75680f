/** A ledger that is open: one journal writer, the segments of its space, and what other processes of the host journal. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SecpiError } from '../../../contract/errors.ts';
import type { Ledger, LedgerCounts, LedgerOptions } from '../ledger.ts';
import { decodeAnswer, type LedgerAnswer } from './answer.ts';
import { Coalesced } from './coalesced.ts';
import { compactSegments, type Compacted } from './compaction.ts';
import type { Journal } from './journal.ts';
import { JournalWriter, type Journalled } from './journalWriter.ts';
import { originOf } from './keyIndex.ts';
import { LiveJournals } from './liveJournals.ts';
import { addRecovered, NOTHING_RECOVERED, recoverJournals } from './recovery.ts';
import { SegmentStore } from './segmentStore.ts';
import { SingleFlight, type Shared } from './singleFlight.ts';
import { StopWatch } from './stopWatch.ts';

const FLUSH_EVERY_MS = 3_000;
const REFRESH_EVERY_MS = 15_000;
const MAX_SEGMENT_ROWS = 10_000;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
const MAX_UNPUBLISHED_BYTES = 64 * 1024 * 1024;
const PRESSURE_WAIT_MS = 500;

export class OpenLedger implements Ledger {
  readonly space: string;
  readonly #folder: string;
  readonly #maxSegmentRows: number;
  readonly #maxUnpublishedBytes: number;
  readonly #segments: SegmentStore;
  readonly #journals: JournalWriter;
  readonly #live: LiveJournals;
  readonly #unpublished = new Map<string, Journalled>();
  readonly #appending = new Map<string, Promise<LedgerAnswer>>();
  readonly #single = new SingleFlight();
  readonly #refresh = new Coalesced(() => this.#lookAround());
  readonly #pressure = new Coalesced(() => this.#makeRoom());
  readonly #onFlushError: (error: unknown) => void;
  readonly #refreshEveryMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #stopWatch = new StopWatch();
  /** After this process was stopped; null when it knows what others did. */
  #catchingUp: Promise<void> | null = null;
  #recovered = NOTHING_RECOVERED;
  #publishing: Promise<void> = Promise.resolve();
  #tick: Promise<void> | null = null;
  #refreshedMs = Date.now();
  #unpublishedBytes = 0;
  #appended = 0;
  #closed = false;

  /** Call `refresh` before anything else. */
  constructor(options: LedgerOptions, folder: string) {
    const writer = randomBytes(6).toString('hex');
    this.space = options.space;
    this.#folder = folder;
    this.#segments = new SegmentStore(options.objects, options.space);
    this.#live = new LiveJournals(folder, writer);
    this.#maxSegmentRows = options.maxSegmentRows ?? MAX_SEGMENT_ROWS;
    this.#maxUnpublishedBytes = options.maxUnpublishedBytes ?? MAX_UNPUBLISHED_BYTES;
    const limits = { maxRows: this.#maxSegmentRows, maxBytes: MAX_SEGMENT_BYTES };
    this.#journals = new JournalWriter(folder, writer, limits);
    this.#onFlushError = options.onFlushError ?? (() => undefined);
    this.#refreshEveryMs = options.refreshEveryMs ?? REFRESH_EVERY_MS;
    this.#timer = setInterval(() => void this.#onTick(), options.flushEveryMs ?? FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  has(key: string): boolean {
    return (
      this.#unpublished.has(key) || this.#segments.index.find(key) !== null || this.#live.find(key) !== null
    );
  }

  async get(key: string): Promise<LedgerAnswer | null> {
    if (this.#stopWatch.wasStopped()) this.#catchingUp = this.#catchUp();
    if (this.#catchingUp !== null) await this.#catchingUp;
    const location = this.#segments.index.find(key);
    const live = this.#live.find(key);
    const own = this.#unpublished.get(key);
    // Names sort by time: the first writer's answer counts, for every reader.
    const published = location === null ? null : originOf(location).name;
    if (live !== null && isFirst(live.journal.name, own?.journal.name, published)) {
      const answer = await this.#live.read(live, key);
      if (answer !== null) return answer;
      // Published since it was seen: its segment is in the store.
      await this.refresh();
      return await this.get(key);
    }
    if (own !== undefined && isFirst(own.journal.name, published))
      return decodeAnswer(own.bytes, `The answer of ${key}`);
    return await this.#segments.get(key);
  }

  single<T>(key: string, work: () => Promise<T>): Promise<Shared<T>> {
    return this.#single.run(key, work);
  }

  async append(answer: LedgerAnswer): Promise<LedgerAnswer> {
    if (this.#closed) throw new SecpiError('INTERNAL', 'The ledger is closed.');
    const underWay = this.#appending.get(answer.key);
    if (underWay !== undefined) return underWay;
    const work = this.#appendFirst(answer);
    this.#appending.set(answer.key, work);
    try {
      return await work;
    } finally {
      this.#appending.delete(answer.key);
    }
  }

  async #appendFirst(answer: LedgerAnswer): Promise<LedgerAnswer> {
    const present = this.has(answer.key) ? await this.get(answer.key) : null;
    if (present !== null) return present;
    const line = await this.#journals.append(answer);
    this.#unpublished.set(answer.key, line);
    this.#appended += 1;
    this.#unpublishedBytes += line.bytes.length;
    // The answer is safe already: a store that is away only delays.
    while (this.#unpublishedBytes > this.#maxUnpublishedBytes && !this.#closed) await this.#pressure.run();
    return answer;
  }

  async #makeRoom(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      if (!(error instanceof SecpiError) || !error.retryable) throw error;
      this.#onFlushError(error);
      await sleep(PRESSURE_WAIT_MS);
    }
  }

  async flush(): Promise<void> {
    await this.#journals.seal();
    const published = this.#publishing.then(() => this.#publishSealed());
    this.#publishing = published.catch(() => undefined);
    return published;
  }

  async #publishSealed(): Promise<void> {
    for (let journal = this.#journals.sealed[0]; journal !== undefined; journal = this.#journals.sealed[0]) {
      await this.#publish(journal);
      this.#journals.sealed.shift();
    }
  }

  async #publish(journal: Journal): Promise<void> {
    await this.#segments.publish(journal.name, journal.lines);
    for (const { key, bytes } of journal.lines) {
      if (this.#unpublished.get(key)?.journal !== journal) continue;
      this.#unpublished.delete(key);
      this.#unpublishedBytes -= bytes.length;
    }
    await journal.drop();
  }

  refresh(): Promise<void> {
    return this.#refresh.run();
  }

  /** While it was stopped another may have taken over, and paid for what this process would ask next. */
  async #catchUp(): Promise<void> {
    await this.refresh().catch(this.#onFlushError);
    this.#catchingUp = null;
  }

  /** The disk first: what a process left there is known even while the store is away. */
  async #lookAround(): Promise<void> {
    this.#refreshedMs = Date.now();
    const gone = await this.#live.scan();
    await this.#segments.refresh();
    this.#live.forget(gone);
    const recovered = await recoverJournals(this.#folder, this.#segments);
    if (recovered.journals === 0) return;
    this.#recovered = addRecovered(this.#recovered, recovered);
    this.#live.forget(await this.#live.scan());
  }

  async compact(): Promise<Compacted> {
    await this.flush();
    return await compactSegments(this.#segments, {
      minRows: this.#maxSegmentRows,
      minBytes: MAX_SEGMENT_BYTES,
    });
  }

  async #onTick(): Promise<void> {
    if (this.#tick !== null) return;
    this.#tick = this.#flushAndRefresh().catch(this.#onFlushError);
    await this.#tick;
    this.#tick = null;
  }

  async #flushAndRefresh(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      await this.#journals.touch();
      throw error;
    }
    if (Date.now() - this.#refreshedMs >= this.#refreshEveryMs) await this.refresh();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stopWatch.close();
    await Promise.allSettled(this.#appending.values());
    await this.#tick;
    try {
      await this.flush();
    } catch (error) {
      for (const journal of this.#journals.sealed) journal.abandon();
      throw error;
    }
  }

  counts(): LedgerCounts {
    const { keys, segments, duplicates } = this.#segments.index;
    const apart = new Set<string>();
    for (const unpublished of [this.#unpublished.keys(), this.#live.keys]) {
      for (const key of unpublished) if (this.#segments.index.find(key) === null) apart.add(key);
    }
    return {
      answers: keys + apart.size,
      segments: segments.length,
      unpublished: this.#unpublished.size,
      appended: this.#appended,
      duplicates,
      bytesRead: this.#segments.bytesRead,
      recovered: this.#recovered,
    };
  }
}

/** True when the name sorts before the others; a journal's name is the start of its segment's. */
function isFirst(name: string, ...others: (string | null | undefined)[]): boolean {
  return others.every((other) => other === null || other === undefined || name < other);
}
