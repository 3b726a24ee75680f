/** A stopped run ends with the weights of its best checkpoint: the trainer exports them without another step. */
import { SecpiError } from '../../contract/errors.ts';
import { isDamage } from '../store/blobs.ts';
import type { CheckpointEntry } from '../store/index.ts';
import type { Attempt } from './attempt.ts';
import { start, takeHome, type Launched } from './launch.ts';
import { clearHome } from './trainingHome.ts';

/** Starts the export. NOTHING_TRAINED when the store has no whole checkpoint. */
export async function startExport(attempt: Attempt): Promise<Launched> {
  const { host, home, request } = attempt;
  const record = await takeHome(attempt, { exportOnly: true, unsaved: null });
  await clearHome(home, { resume: false });
  for (const entry of bestFirst(await host.store.trainings.list(request.fingerprint))) {
    try {
      await host.store.trainings.read(entry, home.resumeDir, host.signal);
    } catch (error) {
      if (!isDamage(error)) throw error;
      host.onNote(`checkpoint ${entry.step} is not whole (${error.problem}); the next best is used`);
      continue;
    }
    host.onNote(`stopping early: exporting the weights of step ${entry.step}`);
    return await start(attempt, record, { resumedFromStep: entry.step, skipped: [], exportOnly: true });
  }
  throw new SecpiError('NOTHING_TRAINED', 'the training was stopped before its first checkpoint.');
}

/** By held-out loss; those where none was measured follow, newest first. */
export function bestFirst(entries: readonly CheckpointEntry[]): CheckpointEntry[] {
  return entries.toReversed().toSorted((a, b) => lossOf(a) - lossOf(b));
}

const lossOf = ({ evalLoss }: CheckpointEntry): number => evalLoss ?? Number.MAX_VALUE;
