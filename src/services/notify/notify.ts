/**
 * Tells a receiver of a night, once. A delivery that was answered is noted in the store; one whose answer was lost is
 * sent again with the same idempotency key and the same bytes, for the receiver to tell apart.
 */
import type { NightResult, NotifyTarget } from '../../contract/workflows.ts';
import { canonicalJson, fingerprint, runKey, type ObjectStore } from '../store/index.ts';
import { deliver } from './deliver.ts';
import { messageOf, type NightRun } from './message.ts';
import { readTarget } from './target.ts';

export interface NotifyRequest {
  readonly target: NotifyTarget;
  readonly night: NightResult;
  readonly run: NightRun;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** Throws NOTIFY_REFUSED (the operator's to mend) or NOTIFY_UNREACHABLE (to be tried again). */
export async function notify(
  objects: Pick<ObjectStore, 'get' | 'putIfAbsent'>,
  { target, night, run, environment, signal }: NotifyRequest,
): Promise<void> {
  const idempotencyKey = idempotencyKeyOf(target, night, run);
  const noted = runKey(run.workflowId, run.firstRunId, `notified-${idempotencyKey}.json`);
  if ((await objects.get(noted)) !== null) return;
  await deliver({
    target: readTarget(target, environment),
    body: messageOf(target.format, night, run),
    idempotencyKey,
    name: target.urlEnv,
    ...(signal === undefined ? {} : { signal }),
  });
  // Another attempt that noted it first said the same.
  await objects.putIfAbsent(
    noted,
    Buffer.from(`${canonicalJson({ version: 1, urlEnv: target.urlEnv, at: new Date().toISOString() })}\n`),
  );
}

/** Of the night and the target; the same for each retry and after a reset. */
export function idempotencyKeyOf(
  { urlEnv, format }: NotifyTarget,
  { series, at }: NightResult,
  { workflowId, firstRunId }: NightRun,
): string {
  return fingerprint({ workflowId, firstRunId, series, at, urlEnv, format }).slice(0, 32);
}
