/**
 * What other processes of this host have journalled and not published yet, read beside them. A process that takes over
 * from one that is stopped (SIGSTOP) or still at work finds its answers here, and leaves its files alone.
 */
import { ifPresent } from '../../processOwner.ts';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { decodeAnswer, keyOfLine, type LedgerAnswer } from './answer.ts';
import { parseJournalName, wholeLines } from './journal.ts';

interface Line {
  readonly offset: number;
  readonly bytes: number;
}

interface LiveJournal {
  /** As in the segment that it becomes; sorts by time. */
  readonly name: string;
  readonly path: string;
  /** Read so far: the end of a line. */
  readBytes: number;
  readonly lines: Map<string, Line>;
}

export interface LiveLocation extends Line {
  readonly journal: LiveJournal;
}

export class LiveJournals {
  readonly #folder: string;
  readonly #writer: string;
  /** Lowest name first. */
  #journals: LiveJournal[] = [];

  /** `writer`: whose journals are not another's. */
  constructor(folder: string, writer: string) {
    this.#folder = folder;
    this.#writer = writer;
  }

  get keys(): Iterable<string> {
    return this.#journals.flatMap(({ lines }) => [...lines.keys()]);
  }

  /** The first line of the lowest journal that holds the key. */
  find(key: string): LiveLocation | null {
    for (const journal of this.#journals) {
      const line = journal.lines.get(key);
      if (line !== undefined) return { ...line, journal };
    }
    return null;
  }

  /**
   * Reads what was appended since. Resolves with the journals that are gone: their answers stay known until `forget`,
   * to be called once the segments that they became are listed.
   */
  async scan(): Promise<ReadonlySet<string>> {
    const known = new Map(this.#journals.map((journal) => [journal.path, journal]));
    const gone = new Set(known.keys());
    for (const file of await readdir(this.#folder)) {
      const parsed = parseJournalName(file);
      if (parsed === null || parsed.name.includes(this.#writer)) continue;
      const path = join(this.#folder, file);
      const journal = known.get(path) ?? { name: parsed.name, path, readBytes: 0, lines: new Map() };
      if ((await ifPresent(readOn(journal))) === null) continue;
      known.set(path, journal);
      gone.delete(path);
    }
    this.#journals = [...known.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
    return gone;
  }

  forget(paths: ReadonlySet<string>): void {
    this.#journals = this.#journals.filter(({ path }) => !paths.has(path));
  }

  /** Null when the journal is gone: its owner published it. */
  async read({ journal, offset, bytes }: LiveLocation, key: string): Promise<LedgerAnswer | null> {
    const line = await ifPresent(withFile(journal.path, (file) => readAt(file, offset, bytes)));
    if (line === null) return null;
    const answer = decodeAnswer(line, `The line at byte ${offset} of ${journal.path}`);
    if (answer.key !== key)
      throw new SecpiError('BLOB_CORRUPT', `${journal.path} changed at byte ${offset} since it was read.`);
    return answer;
  }
}

async function readOn(journal: LiveJournal): Promise<LiveJournal> {
  return await withFile(journal.path, async (file) => {
    const { size } = await file.stat();
    if (size <= journal.readBytes) return journal;
    for (const line of wholeLines(await readAt(file, journal.readBytes, size - journal.readBytes))) {
      const key = keyOfLine(line);
      const offset = journal.readBytes;
      journal.readBytes += line.length;
      if (key !== null && !journal.lines.has(key)) journal.lines.set(key, { offset, bytes: line.length });
    }
    return journal;
  });
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Shorter where the file ends before. */
async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
