/** Settles the tranches of processes that died: what they had reserved and not ended is charged at its worst case. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SecpiError } from '../../contract/errors.ts';
import type { TrancheSettlement } from '../../contract/workflows.ts';
import { ifPresent, isLeftBehind } from '../processOwner.ts';
import {
  endTakeOver,
  isOwnFile,
  parseFileName,
  readTranche,
  takeOver,
  UNSEEN_DEAD_AFTER_MS,
  type ReadTranche,
} from './trancheFile.ts';
import { HolderGoneError, type Bank, type PurseHolder } from './types.ts';

/** A purse that could not settle a tranche at its end gives its file up. */
const LEFT_BEHIND = { unseenDeadAfterMs: UNSEEN_DEAD_AFTER_MS, ownCount: true } as const;

export interface RecoverOptions {
  /** The folder of `openPurse`. */
  readonly dir: string;
  readonly bankOf: (holder: PurseHolder) => Bank;
  /** A tranche that could not be settled now; the next call tries again. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface RecoveredTranches {
  readonly settled: number;
  /** Of runs that have ended. */
  readonly gone: number;
  /** Not readable: they stay charged in full, and their file is kept as `.corrupt`. */
  readonly corrupt: number;
  /** Could not be settled now. */
  readonly left: number;
  readonly spentUsd: number;
  readonly unsettledUsd: number;
}

/** Several processes may recover at once: each file is taken over by one of them. Cheap when there is nothing. */
export async function recoverTranches(options: RecoverOptions): Promise<RecoveredTranches> {
  const total = { settled: 0, gone: 0, corrupt: 0, left: 0, spentUsd: 0, unsettledUsd: 0 };
  for (const file of await filesIn(options.dir)) {
    const parsed = parseFileName(file);
    const found = join(options.dir, file);
    if (parsed === null || isOwnFile(found) || !(await isLeftBehind(found, parsed.owner, LEFT_BEHIND)))
      continue;
    const path = await takeOver(options.dir, file, parsed.id);
    if (path === null) continue;
    const { outcome, settlement } = await recover(options, path, parsed.id);
    if (outcome !== 'empty') total[outcome] += 1;
    total.spentUsd += settlement?.spentUsd ?? 0;
    total.unsettledUsd += settlement?.unsettledUsd ?? 0;
  }
  return total;
}

interface Recovery {
  readonly outcome: 'settled' | 'gone' | 'corrupt' | 'left' | 'empty';
  readonly settlement?: TrancheSettlement;
}

async function recover({ bankOf, onTrouble }: RecoverOptions, path: string, id: string): Promise<Recovery> {
  try {
    const tranche = await readTranche(path);
    if (tranche === null) {
      await endTakeOver(path, 'settled');
      return { outcome: 'empty' };
    }
    const settlement = settlementOf(id, tranche);
    if (settlement === null) {
      await endTakeOver(path, 'corrupt');
      return { outcome: 'corrupt' };
    }
    await bankOf(tranche.holder).settle(settlement);
    await endTakeOver(path, 'settled');
    return { outcome: 'settled', settlement };
  } catch (error) {
    if (error instanceof HolderGoneError) {
      await endTakeOver(path, 'settled');
      return { outcome: 'gone' };
    }
    onTrouble?.(error);
    const corrupt = error instanceof SecpiError && error.code === 'BLOB_CORRUPT';
    await endTakeOver(path, corrupt ? 'corrupt' : 'left');
    return { outcome: corrupt ? 'corrupt' : 'left' };
  }
}

/** Null when nothing can be said: the tranche, if it was granted, stays charged in full. */
function settlementOf(id: string, tranche: ReadTranche): TrancheSettlement | null {
  const { mayLackLines, grantedUsd, spentUsd, unsettledUsd } = tranche;
  if (!mayLackLines) return { id, spentUsd, unsettledUsd };
  if (grantedUsd === null) return null;
  // Reservations may be missing, so all that is not known to be free stays charged.
  return { id, spentUsd, unsettledUsd: Math.max(unsettledUsd, grantedUsd - spentUsd) };
}

async function filesIn(dir: string): Promise<string[]> {
  return ((await ifPresent(readdir(dir))) ?? []).sort();
}
