/** Queue `secpi-sandbox`: running hostile code, and nothing else. */
import type { SandboxActivities } from '../contract/activities.ts';
import type { Deps } from './deps.ts';
import { gradeShard, openEvaluation, publishEvaluation } from './grade.ts';
import { gradeReferences, prepareBenchmark } from './prepareBenchmark.ts';
import { runActivity } from './runActivity.ts';
import { prepareHost, type SandboxHost } from './sandboxHost.ts';
import { testTraces } from './testTraces.ts';

/** A grading shard reports every sample; the longest one is a sample that times out twice, on the quiet lane. */
const GRADE_STALL_MS = 60 * 60_000;

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
  const stalling = { stallAfterMs: GRADE_STALL_MS };
  const activities: SandboxActivities = {
    prepareBenchmark: async (input) =>
      await runActivity(deps, async (run) => await prepareBenchmark(deps, run, openHost, input)),
    gradeReferences: async (input) =>
      await runActivity(
        deps,
        async (run) => await gradeReferences(deps, run, await openHost(), input),
        stalling,
      ),
    openEvaluation: async (input) =>
      await runActivity(deps, async (run) => await openEvaluation(deps, run, await openHost(), input)),
    gradeShard: async (input) =>
      await runActivity(deps, async (run) => await gradeShard(deps, run, await openHost(), input), stalling),
    testTraces: async (input) =>
      await runActivity(deps, async (run) => await testTraces(deps, run, await openHost(), input), stalling),
    publishEvaluation: async (input) =>
      await runActivity(deps, async (run) => await publishEvaluation(deps, run, await openHost(), input)),
  };
  return {
    activities,
    close: async () => {
      await (await host?.catch(() => null))?.close();
    },
  };
}
