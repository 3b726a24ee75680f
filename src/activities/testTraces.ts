/** The rows' own tests against candidates of distil: hostile code, so it runs where the sandbox is. */
import { availableParallelism } from 'node:os';
import type { SandboxActivities } from '../contract/activities.ts';
import type { Part } from '../contract/refs.ts';
import { candidateSchema, type TestVerdict } from '../services/distill/candidates.ts';
import { openRowTests, verdictRow } from '../services/distill/rowTests/index.ts';
import { readRows, writeRows } from '../services/store/index.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';
import type { SandboxHost } from './sandboxHost.ts';

/** A verdict for every candidate, in their order. Throws SANDBOX_UNAVAILABLE. */
export async function testTraces(
  { store }: Pick<Deps, 'store'>,
  run: Pick<ActivityRun, 'signal' | 'beat'>,
  host: Pick<SandboxHost, 'sandbox' | 'toolchain'>,
  { fingerprint, candidates: part }: Parameters<SandboxActivities['testTraces']>[0],
): Promise<{ verdicts: Part }> {
  const candidates = await Array.fromAsync(readRows(store.blobs, [part], {}, candidateSchema));
  const rowTests = await openRowTests(host);
  const verdicts: TestVerdict[] = [];
  const waiting = candidates.entries();
  // One failure ends the others with it: their sandboxes must not outlive the activity.
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);
  const work = async (): Promise<void> => {
    for (const [position, candidate] of waiting) {
      signal.throwIfAborted();
      verdicts[position] = verdictRow(candidate, await rowTests.judge(candidate, signal));
      run.beat();
    }
  };
  const workers = Array.from({ length: availableParallelism() }, async () => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(workers);
  signal.throwIfAborted();
  const [verdictPart] = await writeRows(store.blobs, verdicts, { rowsPerPart: Math.max(1, verdicts.length) });
  if (verdictPart === undefined) throw new Error('there were no candidates to test');
  await store.artifacts.keepHandover('traces', fingerprint, verdictPart);
  return { verdicts: verdictPart };
}
