/** Writes answers to the current journal, all that wait in one write, and hands full journals over for publishing. */
import { encodeAnswer, type LedgerAnswer } from './answer.ts';
import { Journal, type EncodedLine } from './journal.ts';
import type { SegmentLine } from './segment.ts';

export interface JournalLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** A line that the operating system has. */
export interface Journalled extends SegmentLine {
  readonly journal: Journal;
}

interface Waiting extends EncodedLine {
  readonly resolve: (line: Journalled) => void;
  readonly reject: (error: unknown) => void;
}

export class JournalWriter {
  readonly #folder: string;
  readonly #writer: string;
  readonly #limits: JournalLimits;
  #number = 0;
  #current: Journal | null = null;
  #waiting: Waiting[] = [];
  /** Writes and seals happen one after the other. */
  #lane: Promise<void> = Promise.resolve();
  #draining = false;
  /** Closed for writing, not yet published, oldest first. */
  readonly sealed: Journal[] = [];

  constructor(folder: string, writer: string, limits: JournalLimits) {
    this.#folder = folder;
    this.#writer = writer;
    this.#limits = limits;
  }

  /** Resolves once the operating system has the whole line. */
  append(answer: LedgerAnswer): Promise<Journalled> {
    const { promise, resolve, reject } = Promise.withResolvers<Journalled>();
    this.#waiting.push({ key: answer.key, text: encodeAnswer(answer), resolve, reject });
    if (!this.#draining) {
      this.#draining = true;
      void this.#enqueue(() => this.#drain());
    }
    return promise;
  }

  /** Closes the current journal after what waits is written; a new one begins with the next answer. */
  seal(): Promise<void> {
    return this.#enqueue(() => this.#sealCurrent());
  }

  async touch(): Promise<void> {
    const journals = this.#current === null ? this.sealed : [this.#current, ...this.sealed];
    await Promise.all(journals.map(async (journal) => await journal.touch()));
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#lane.then(work);
    this.#lane = done.catch(() => undefined);
    return done;
  }

  async #drain(): Promise<void> {
    this.#draining = false;
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      this.#current ??= await Journal.create(this.#folder, this.#writer, (this.#number += 1));
      const journal = this.#current;
      const lines = await journal.write(batch);
      for (const [at, { key, bytes }] of lines.entries()) batch[at]?.resolve({ key, bytes, journal });
      if (journal.lines.length >= this.#limits.maxRows || journal.bytes >= this.#limits.maxBytes)
        await this.#sealCurrent();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #sealCurrent(): Promise<void> {
    const journal = this.#current;
    if (journal === null) return;
    this.#current = null;
    this.sealed.push(journal);
    await journal.close();
  }
}
