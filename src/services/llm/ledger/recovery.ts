/** Finds journals that dead processes of this machine left behind, and publishes what they hold. */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { decodeAnswer } from './answer.ts';
import { isOwnJournal, parseJournalName, wholeLines } from './journal.ts';
import { parseOwner, stateOf } from '../../processOwner.ts';
import type { SegmentLine } from './segment.ts';
import type { SegmentStore } from './segmentStore.ts';

/** A writer that cannot be seen from here touches its journal every few seconds; after this it is taken for dead. */
const UNSEEN_DEAD_AFTER_MS = 60_000;

export interface Recovered {
  readonly journals: number;
  readonly rows: number;
  /** Torn last lines: answers that the process had not been told were safe. */
  readonly tornLines: number;
  /** Whole lines that hold no answer (a host that lost power); their file is kept as `.corrupt`. */
  readonly corruptLines: number;
}

export const NOTHING_RECOVERED: Recovered = { journals: 0, rows: 0, tornLines: 0, corruptLines: 0 };

export function addRecovered(one: Recovered, other: Recovered): Recovered {
  return {
    journals: one.journals + other.journals,
    rows: one.rows + other.rows,
    tornLines: one.tornLines + other.tornLines,
    corruptLines: one.corruptLines + other.corruptLines,
  };
}

/**
 * Two processes may recover the same journal at once: a segment is named by its content, so both write the same.
 */
export async function recoverJournals(folder: string, segments: SegmentStore): Promise<Recovered> {
  const total = { journals: 0, rows: 0, tornLines: 0, corruptLines: 0 };
  for (const file of (await readdir(folder)).sort()) {
    const parsed = parseJournalName(file);
    const path = join(folder, file);
    if (parsed === null || isOwnJournal(path) || !(await isLeftBehind(path, parsed.owner))) continue;
    const content = await ifPresent(readJournal(path));
    if (content === null) continue;
    if (content.lines.length > 0) await segments.publish(parsed.name, content.lines);
    await ifPresent(content.corrupt > 0 ? rename(path, `${path}.corrupt`) : rm(path));
    total.journals += 1;
    total.rows += content.lines.length;
    total.tornLines += content.torn ? 1 : 0;
    total.corruptLines += content.corrupt;
  }
  return total;
}

/** Every line is validated: it was another process that wrote it, or did so only in part. */
async function readJournal(path: string): Promise<{ lines: SegmentLine[]; torn: boolean; corrupt: number }> {
  const content = await readFile(path);
  const whole = wholeLines(content);
  const lines: SegmentLine[] = [];
  for (const bytes of whole) {
    const key = keyOf(bytes, path);
    if (key !== null) lines.push({ key, bytes });
  }
  return { lines, torn: content.length > 0 && content.at(-1) !== 10, corrupt: whole.length - lines.length };
}

function keyOf(line: Buffer, path: string): string | null {
  try {
    return decodeAnswer(line, path).key;
  } catch (error) {
    if (error instanceof SecpiError) return null;
    throw error;
  }
}

async function isLeftBehind(path: string, ownerText: string): Promise<boolean> {
  const owner = parseOwner(ownerText);
  const state = owner === null ? 'unknown' : await stateOf(owner);
  switch (state) {
    case 'dead':
      return true;
    case 'alive':
      // An own journal whose ledger could not publish it at its end.
      return owner?.pid === process.pid;
    case 'unknown': {
      const stats = await ifPresent(stat(path));
      return stats !== null && Date.now() - stats.mtimeMs > UNSEEN_DEAD_AFTER_MS;
    }
  }
}

/** Null when another process was quicker. */
export async function ifPresent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
