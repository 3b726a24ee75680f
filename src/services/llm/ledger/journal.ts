/**
 * The local journal: an append-only file of answers. A line counts once the operating system has it, so that the
 * death of the process loses nothing. One journal file becomes one segment and is then dropped.
 */
import { mkdir, open, rm, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { formatOwner, thisProcess } from '../../processOwner.ts';
import type { SegmentLine } from './segment.ts';

const SUFFIX = '.jsonl';

export interface EncodedLine {
  readonly key: string;
  /** With its newline. */
  readonly text: string;
}

/** Journals that this process writes or will publish: not to be taken for left-overs of another. */
const ownPaths = new Set<string>();

export const isOwnJournal = (path: string): boolean => ownPaths.has(path);

/** `<time>-<writer>-<number>@<owner>.jsonl`; the part before `@` sorts by time and names the segment. */
export function parseJournalName(file: string): { name: string; owner: string } | null {
  const [, name, owner] = /^(\d{8}T\d{9}Z-[0-9a-f]{12}-\d{6})@([0-9a-f-]+)\.jsonl$/.exec(file) ?? [];
  return name === undefined || owner === undefined ? null : { name, owner };
}

export class Journal {
  readonly name: string;
  readonly path: string;
  #handle: FileHandle;
  #failure: SecpiError | null = null;
  readonly #lines: SegmentLine[] = [];
  bytes = 0;

  private constructor(name: string, path: string, handle: FileHandle) {
    this.name = name;
    this.path = path;
    this.#handle = handle;
  }

  /** `number` counts the journals of this writer. */
  static async create(folder: string, writer: string, number: number): Promise<Journal> {
    const time = new Date().toISOString().replaceAll(/[-:.]/g, '');
    const name = `${time}-${writer}-${String(number).padStart(6, '0')}`;
    const path = join(folder, `${name}@${formatOwner(thisProcess())}${SUFFIX}`);
    ownPaths.add(path);
    try {
      return new Journal(name, path, await open(path, 'ax', 0o600));
    } catch (error) {
      ownPaths.delete(path);
      throw diskError(path, error);
    }
  }

  /** What the segment is made of; in memory until the journal is dropped. */
  get lines(): readonly SegmentLine[] {
    return this.#lines;
  }

  /** Resolves when the operating system has all lines. After a failure the file may end in half a line: it takes no more. */
  async write(lines: readonly EncodedLine[]): Promise<readonly SegmentLine[]> {
    if (this.#failure !== null) throw this.#failure;
    const bytes = Buffer.from(lines.map(({ text }) => text).join(''));
    try {
      for (let at = 0; at < bytes.length;) at += (await this.#handle.write(bytes, at)).bytesWritten;
    } catch (error) {
      this.#failure = diskError(this.path, error);
      throw this.#failure;
    }
    let end = 0;
    const written = lines.map(({ key, text }) => {
      const start = end;
      end += Buffer.byteLength(text);
      return { key, bytes: bytes.subarray(start, end) };
    });
    for (const line of written) this.#lines.push(line);
    this.bytes += bytes.length;
    return written;
  }

  /** Tells observers of another PID namespace that the writer lives. */
  async touch(): Promise<void> {
    const now = new Date();
    await utimes(this.path, now, now);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** To be called once its segment is in the store. */
  async drop(): Promise<void> {
    await rm(this.path, { force: true });
    ownPaths.delete(this.path);
  }

  /** Leaves the file for the next opener to recover. */
  abandon(): void {
    ownPaths.delete(this.path);
  }
}

/** Makes the folder of the journals, so that a disk that cannot hold them is told before anything is paid for. */
export async function makeJournalFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw diskError(folder, error);
  }
}

function diskError(path: string, error: unknown): SecpiError {
  return new SecpiError(
    'RESOURCES_INSUFFICIENT',
    `The journal ${path} cannot be written: ${messageOf(error)}.`,
    {
      remedy: 'Free disk space, or give the worker a cache folder that it may write to.',
      cause: error,
    },
  );
}

/** The whole lines among the bytes, each with its newline. What follows the last newline is torn and left out. */
export function wholeLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  return lines;
}
