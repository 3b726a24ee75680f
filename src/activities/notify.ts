/** Tells one receiver of a night. */
import type { NotifyInput } from '../contract/workflows.ts';
import { notify } from '../services/notify/index.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

export async function notifyOfNight(
  { store, environment }: Pick<Deps, 'store' | 'environment'>,
  { owner, signal }: Pick<ActivityRun, 'owner' | 'signal'>,
  { target, night, firstRunId }: NotifyInput,
): Promise<void> {
  const run = { workflowId: owner.workflowId, firstRunId };
  await notify(store.objects, { target, night, run, environment, signal });
}
