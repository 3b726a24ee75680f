/** The trainers that live on this host, attended or not. */
import { parseOwner, stateOf } from '../processOwner.ts';
import { listHomes, readRecord, type TrainerRecord } from '../train/trainingHome.ts';

/** One that cannot be seen (another container of the same disk) does not count: it has devices of its own. */
export async function livingTrainers(trainingsDir: string): Promise<TrainerRecord[]> {
  const living: TrainerRecord[] = [];
  for (const home of await listHomes(trainingsDir)) {
    const record = await readRecord(home);
    const owner = parseOwner(record?.owner ?? '');
    if (record !== null && owner !== null && (await stateOf(owner)) === 'alive') living.push(record);
  }
  return living;
}
