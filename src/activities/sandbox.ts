/** Queue `secpi-sandbox`: running hostile code, and nothing else. */
import type { SandboxActivities } from '../contract/activities.ts';
import type { Deps } from './deps.ts';
import { gradeShard, openEvaluation, publishEvaluation } from './grade.ts';
import { gradeReferences, prepareBenchmark } from './prepareBenchmark.ts';
import { runActivity } from './runActivity.ts';
import { prepareHost, type SandboxHost } from './sandboxHost.ts';
import { testTraces } from './testTraces.ts';

/** A shard tells of every sample, and while it waits for its turn; an app of BaxBench may be attacked for hours. */
const GRADE_STALL_MS = 6 * 3_600_000;

export interface SandboxPart {
  readonly activities: SandboxActivities;
  /** Ends what gradings started on this machine, when none is running. */
  close(): Promise<void>;
}

export function createSandboxPart(deps: Deps): SandboxPart {
  let host: Promise<SandboxHost> | null = null;
  /** Made with the first grading and kept; a failure is forgotten, so that the next attempt tries anew. */
  const openHost = async (): Promise<SandboxHost> => {
    host ??= prepareHost(deps);
    return await host.catch((error: unknown) => {
      host = null;
      throw error;
    });
  };
  // Workers come and go and are not all alike: what this one lacks, the next may have.
  const grading = { stallAfterMs: GRADE_STALL_MS, hostFaultsPass: true };
  const activities: SandboxActivities = {
    prepareBenchmark: async (input) =>
      await runActivity(deps, async (run) => await prepareBenchmark(deps, run, openHost, input)),
    gradeReferences: async (input) =>
      await runActivity(
        deps,
        async (run) => await gradeReferences(deps, run, await openHost(), input),
        grading,
      ),
    openEvaluation: async (input) =>
      await runActivity(
        deps,
        async (run) => await openEvaluation(deps, run, await openHost(), input),
        grading,
      ),
    gradeShard: async (input) =>
      await runActivity(deps, async (run) => await gradeShard(deps, run, await openHost(), input), grading),
    testTraces: async (input) =>
      await runActivity(deps, async (run) => await testTraces(deps, run, await openHost(), input), grading),
    publishEvaluation: async (input) =>
      await runActivity(
        deps,
        async (run) => await publishEvaluation(deps, run, await openHost(), input),
        grading,
      ),
  };
  return {
    activities,
    close: async () => {
      await (await host?.catch(() => null))?.close();
    },
  };
}
