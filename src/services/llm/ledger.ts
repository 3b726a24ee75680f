/** The durable record of paid answers of one space. Format and recovery: DESIGN.md beside this file. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import { encodeName } from '../store/keys.ts';
import type { LedgerAnswer } from './ledger/answer.ts';
import { makeJournalFolder, type Journal } from './ledger/journal.ts';
import { JournalWriter } from './ledger/journalWriter.ts';
import { readJournalLines, recoverJournals, type Recovered } from './ledger/recovery.ts';
import { SegmentStore, type AnswerObjects } from './ledger/segmentStore.ts';

export type { LedgerAnswer } from './ledger/answer.ts';
export type { AnswerObjects } from './ledger/segmentStore.ts';

export interface LedgerOptions {
  readonly objects: AnswerObjects;
  /** `answerSpace` of `requestKey.ts`. */
  readonly space: string;
  /** Folder of this host, shared by its processes, that outlives them. */
  readonly localDir: string;
  readonly flushEveryMs?: number;
  readonly refreshEveryMs?: number;
  readonly maxSegmentRows?: number;
  /** A flush in the background failed; the answers are safe on disk and it is tried again. */
  readonly onFlushError?: (error: unknown) => void;
}

export interface LedgerCounts {
  /** Distinct answers that `get` can find. */
  readonly answers: number;
  readonly segments: number;
  /** Answers on this disk that the store does not have yet: what the loss of this host would cost. */
  readonly unpublished: number;
  /** Appended by this ledger. */
  readonly appended: number;
  /** Answers in the store beyond the first of their key: paid twice. */
  readonly duplicates: number;
  readonly recovered: Recovered;
}

export interface Ledger {
  readonly space: string;
  /** Null when the answer was never paid for. Throws BLOB_CORRUPT or BLOB_MISSING rather than to pay again unasked. */
  get(key: string): Promise<LedgerAnswer | null>;
  /**
   * Resolves when the operating system has the line, with the answer that counts: the first one of its key.
   */
  append(answer: LedgerAnswer): Promise<LedgerAnswer>;
  /** Resolves when everything appended before is in the store. */
  flush(): Promise<void>;
  /** Looks for segments of other writers. */
  refresh(): Promise<void>;
  /** Flushes and ends. After a failure the journals stay on disk and are recovered by the next to open. */
  close(): Promise<void>;
  counts(): LedgerCounts;
}

const FLUSH_EVERY_MS = 3_000;
const REFRESH_EVERY_MS = 15_000;
const MAX_SEGMENT_ROWS = 10_000;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Answers held in memory while the store does not take them; beyond this `append` waits for it. */
const MAX_UNPUBLISHED_BYTES = 64 * 1024 * 1024;

/** Recovers what dead processes left, then loads the key indexes of the space. Throws RESOURCES_INSUFFICIENT for a bad folder. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const folder = join(options.localDir, encodeName(options.space));
  const segments = new SegmentStore(options.objects, options.space);
  await makeJournalFolder(folder);
  const recovered = await recoverJournals(folder, segments);
  await segments.refresh();
  return new OpenLedger(options, folder, segments, recovered);
}

interface Unpublished {
  readonly answer: LedgerAnswer;
  readonly journal: string;
}

class OpenLedger implements Ledger {
  readonly space: string;
  readonly #segments: SegmentStore;
  readonly #recovered: Recovered;
  readonly #journals: JournalWriter;
  readonly #unpublished = new Map<string, Unpublished>();
  readonly #appending = new Map<string, Promise<LedgerAnswer>>();
  readonly #onFlushError: (error: unknown) => void;
  readonly #refreshEveryMs: number;
  readonly #timer: NodeJS.Timeout;
  #publishing: Promise<void> = Promise.resolve();
  #tick: Promise<void> | null = null;
  #refreshedMs = Date.now();
  #unpublishedBytes = 0;
  #appended = 0;
  #closed = false;

  constructor(options: LedgerOptions, folder: string, segments: SegmentStore, recovered: Recovered) {
    this.space = options.space;
    this.#segments = segments;
    this.#recovered = recovered;
    this.#journals = new JournalWriter(folder, randomBytes(6).toString('hex'), {
      maxRows: options.maxSegmentRows ?? MAX_SEGMENT_ROWS,
      maxBytes: MAX_SEGMENT_BYTES,
    });
    this.#onFlushError = options.onFlushError ?? (() => undefined);
    this.#refreshEveryMs = options.refreshEveryMs ?? REFRESH_EVERY_MS;
    this.#timer = setInterval(() => void this.#onTick(), options.flushEveryMs ?? FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  async get(key: string): Promise<LedgerAnswer | null> {
    const location = this.#segments.index.find(key);
    const unpublished = this.#unpublished.get(key);
    // Names sort by time: the first writer's answer counts, for every reader.
    if (unpublished !== undefined && (location === null || unpublished.journal < location.segment.name))
      return unpublished.answer;
    return location === null ? null : this.#segments.read(location, key);
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
    const present = await this.get(answer.key);
    if (present !== null) return present;
    const journal = await this.#journals.append(answer);
    this.#unpublished.set(answer.key, { answer, journal: journal.name });
    this.#appended += 1;
    this.#unpublishedBytes += sizeOf(answer);
    if (this.#unpublishedBytes > MAX_UNPUBLISHED_BYTES) await this.flush();
    return answer;
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
    const { lines, corrupt } = await readJournalLines(journal.path);
    if (corrupt > 0)
      throw new SecpiError('BLOB_CORRUPT', `${corrupt} lines of ${journal.path} cannot be read back.`);
    await this.#segments.publish(journal.name, lines);
    for (const { key } of lines) {
      const entry = this.#unpublished.get(key);
      if (entry?.journal !== journal.name) continue;
      this.#unpublished.delete(key);
      this.#unpublishedBytes -= sizeOf(entry.answer);
    }
    await journal.drop();
  }

  async refresh(): Promise<void> {
    this.#refreshedMs = Date.now();
    await this.#segments.refresh();
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
    return {
      answers: keys + this.#unpublished.size,
      segments,
      unpublished: this.#unpublished.size,
      appended: this.#appended,
      duplicates,
      recovered: this.#recovered,
    };
  }
}

/** Text dominates; two bytes a UTF-16 unit. */
function sizeOf(answer: LedgerAnswer): number {
  return 2 * (answer.text.length + (answer.reasoning?.length ?? 0));
}
