/** Queue `secpi-sandbox`: running hostile code, and nothing else. */
import type { SandboxActivities } from '../contract/activities.ts';
import { loadBenchmarks } from '../services/benchmarks/load.ts';
import type { Deps } from './deps.ts';
import { gradeShard, openEvaluation, publishEvaluation } from './grade.ts';
import { runActivity } from './runActivity.ts';
import { prepareHost, type SandboxHost } from './sandboxHost.ts';
import { testTraces } from './testTraces.ts';

/** A grading shard reports every sample; the longest one is a sample that times out twice. */
const GRADE_STALL_MS = 15 * 60_000;

export function createSandboxActivities(deps: Deps): SandboxActivities {
  let host: Promise<SandboxHost> | null = null;
  /** Made with the first grading and kept; a failure is forgotten, so that the next attempt tries anew. */
  const openHost = async (): Promise<SandboxHost> => {
    host ??= prepareHost(deps);
    return await host.catch((error: unknown) => {
      host = null;
      throw error;
    });
  };
  return {
    checkBenchmarks: async ({ benchmarks, field }) =>
      await runActivity(deps, async () => {
        await loadBenchmarks(benchmarks, deps.paths.suiteDir, field);
        await openHost();
      }),
    openEvaluation: async (input) =>
      await runActivity(deps, async (run) => await openEvaluation(deps, run, await openHost(), input)),
    gradeShard: async (input) =>
      await runActivity(deps, async (run) => await gradeShard(deps, run, await openHost(), input), {
        stallAfterMs: GRADE_STALL_MS,
      }),
    testTraces: async (input) =>
      await runActivity(deps, async (run) => await testTraces(deps, run, await openHost(), input), {
        stallAfterMs: GRADE_STALL_MS,
      }),
    publishEvaluation: async (input) =>
      await runActivity(deps, async (run) => await publishEvaluation(deps, run, await openHost(), input)),
  };
}
