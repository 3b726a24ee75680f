/** Finds journals that dead processes of this machine left behind, and publishes what they hold. */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { decodeAnswer } from './answer.ts';
import { isOwnJournal, parseJournalName, wholeLines } from './journal.ts';
import { ifPresent, isLeftBehind, parseOwner } from '../../processOwner.ts';
import type { SegmentLine } from './segment.ts';
import type { SegmentStore } from './segmentStore.ts';

/**
 * A writer that cannot be seen from here touches its journal every few seconds; after this it is taken for dead. A
 * journal whose ledger could not publish it at its end is given up by its own process.
 */
const LEFT_BEHIND = { unseenDeadAfterMs: 60_000, ownCount: true } as const;

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
    if (
      parsed === null ||
      isOwnJournal(path) ||
      !(await isLeftBehind(path, parseOwner(parsed.owner), LEFT_BEHIND))
    )
      continue;
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
