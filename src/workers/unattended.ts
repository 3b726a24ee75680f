/** Whether a trainer of this host still trains for somebody, as the store and Temporal know it. */
import type { Client } from '@temporalio/client';
import { isRunOpen } from '../activities/artefactStage.ts';
import { trainingHeadSchema } from '../contract/manifest.ts';
import type { Owner } from '../contract/refs.ts';
import { trainingAttemptKey, trainingHeadKey, type Store } from '../services/store/index.ts';

/** Asks on behalf of no run. */
const NOBODY: Owner = { namespace: '', workflowId: '', runId: '', writer: '' };

/**
 * True when an attempt under a higher epoch trains elsewhere, or the run of the one that attended it is closed. One that
 * has only claimed the training may be about to adopt the trainer, or may be gone again. Rejects when the store or Temporal does not answer: nothing is decided then.
 */
export async function isTrainingOver(
  store: Store,
  client: Client,
  { fingerprint, epoch }: { readonly fingerprint: string; readonly epoch: number },
): Promise<boolean> {
  const head = await store.objects.get(trainingHeadKey(fingerprint));
  // Never claimed in this store: a state folder that served another one.
  if (head === null) return false;
  const { epoch: current, owner } = trainingHeadSchema.parse(JSON.parse(head.bytes.toString()));
  if (current > epoch) return await hasStarted(store, fingerprint, { after: epoch, to: current });
  if (current < epoch || owner.namespace !== client.options.namespace) return false;
  return !(await isRunOpen(client, owner, NOBODY));
}

/** An attempt is recorded before its trainer starts; one that adopts has written its epoch beside the trainer by then. */
async function hasStarted(
  { objects }: Store,
  fingerprint: string,
  { after, to }: { readonly after: number; readonly to: number },
): Promise<boolean> {
  for (let epoch = to; epoch > after; epoch -= 1) {
    if ((await objects.head(trainingAttemptKey(fingerprint, epoch, 'start'))) !== null) return true;
  }
  return false;
}
