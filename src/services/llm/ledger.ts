/** The durable record of paid answers of one space. Format and recovery: DESIGN.md beside this file. */
import { join } from 'node:path';
import { encodeName } from '../store/keys.ts';
import type { LedgerAnswer } from './ledger/answer.ts';
import type { Compacted } from './ledger/compaction.ts';
import { recordIdentity, type SpaceIdentity } from './ledger/identity.ts';
import { makeJournalFolder } from './ledger/journal.ts';
import { OpenLedger } from './ledger/openLedger.ts';
import type { Recovered } from './ledger/recovery.ts';
import type { AnswerObjects } from './ledger/segmentStore.ts';
import type { Shared } from './ledger/singleFlight.ts';

export type { LedgerAnswer } from './ledger/answer.ts';
export type { Compacted } from './ledger/compaction.ts';
export { listSpaces, type SpaceIdentity } from './ledger/identity.ts';
export type { AnswerObjects } from './ledger/segmentStore.ts';
export type { Shared } from './ledger/singleFlight.ts';

export interface LedgerOptions {
  readonly objects: AnswerObjects;
  /** `answerSpace` of `requestKey.ts`. */
  readonly space: string;
  /** What `space` is the hash of: kept beside the answers for `listSpaces`. */
  readonly identity?: SpaceIdentity;
  /** Folder of this host, shared by its processes, that outlives them. */
  readonly localDir: string;
  readonly flushEveryMs?: number;
  readonly refreshEveryMs?: number;
  readonly maxSegmentRows?: number;
  /** Answers kept in memory (and on disk) while the store does not take them; beyond this `append` waits. Default 64 MiB. */
  readonly maxUnpublishedBytes?: number;
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
  /** From the store since this ledger was opened: key indexes and answers. */
  readonly bytesRead: number;
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
  /**
   * Looks for answers of other writers: on this disk, in the journals of processes that live, are stopped or are dead
   * (what these left is published), and in the store. Cheap when nothing changed: a folder and one listing.
   */
  refresh(): Promise<void>;
  /**
   * Flushes, then merges small segments of the space, so that the next opening reads fewer objects. To be called at the
   * end of a stage; safe beside every other reader and writer, and to be killed in.
   */
  compact(): Promise<Compacted>;
  /** Index only, no read: true when `get` would find an answer. */
  has(key: string): boolean;
  /**
   * Runs `work` once a key at a time in this process, whichever shard asks; who comes while it runs shares its value
   * (`first: false`). Should it fail, the next of those who waited runs its own work: let it look at its signal first.
   */
  single<T>(key: string, work: () => Promise<T>): Promise<Shared<T>>;
  /** Flushes and ends. After a failure the journals stay on disk and are recovered by the next to open. */
  close(): Promise<void>;
  counts(): LedgerCounts;
}

/** Recovers what dead processes left, then loads the key indexes of the space. Throws RESOURCES_INSUFFICIENT for a bad folder. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const folder = join(options.localDir, encodeName(options.space));
  await makeJournalFolder(folder);
  if (options.identity !== undefined) await recordIdentity(options.objects, options.space, options.identity);
  const ledger = new OpenLedger(options, folder);
  try {
    await ledger.refresh();
    return ledger;
  } catch (error) {
    await ledger.close();
    throw error;
  }
}
