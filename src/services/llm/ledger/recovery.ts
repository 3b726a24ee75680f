/** Finds journals that dead processes of this machine left behind, and publishes what they hold. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { decodeAnswer } from './answer.ts';
import { isOwnJournal, parseJournalName, readJournal } from './journal.ts';
import { parseOwner, stateOf } from './owner.ts';
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

/**
 * Two processes may recover the same journal at once: a segment is named by its content, so both write the same.
 */
export async function recoverJournals(folder: string, segments: SegmentStore): Promise<Recovered> {
  const total = { journals: 0, rows: 0, tornLines: 0, corruptLines: 0 };
  for (const file of (await readdir(folder)).sort()) {
    const parsed = parseJournalName(file);
    const path = join(folder, file);
    if (parsed === null || isOwnJournal(path) || !(await isLeftBehind(path, parsed.owner))) continue;
    const content = await ifPresent(readJournalLines(path));
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

export async function readJournalLines(
  path: string,
): Promise<{ lines: SegmentLine[]; torn: boolean; corrupt: number }> {
  const { lines: texts, torn } = await readJournal(path);
  const lines: SegmentLine[] = [];
  for (const text of texts) {
    const key = keyOf(text, path);
    if (key !== null) lines.push({ key, text: `${text}\n` });
  }
  return { lines, torn, corrupt: texts.length - lines.length };
}

function keyOf(text: string, path: string): string | null {
  try {
    return decodeAnswer(text, path).key;
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
async function ifPresent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
