/** Queue `secpi-data`: reading datasets and asking models. */
import type { DataActivities } from '../contract/activities.ts';
import { openSource } from '../services/dataset/source.ts';
import { answerShard, publishAnswers } from './ask.ts';
import { askSamples } from './askSamples.ts';
import { calibrateFilter, hashLabels } from './calibrate.ts';
import type { Deps } from './deps.ts';
import { proveEndpoint } from './addresses.ts';
import { type AskPools } from './askPools.ts';
import { estimateCost } from './estimate.ts';
import { checkOracles, distilShard, publishTraces } from './distil.ts';
import { classifyShard, publishFilter } from './filter.ts';
import { importDataset } from './importDataset.ts';
import { selectNewRows } from './newRows.ts';
import { runActivity } from './runActivity.ts';

/** Workers come and go and are not all alike. */
const SHARD = { hostFaultsPass: true } as const;

export function createDataActivities(deps: Deps, pools: AskPools): DataActivities {
  return {
    checkEndpoints: async (checks) =>
      await runActivity(deps, async ({ signal }) => {
        for (const { endpoint, field } of checks) await proveEndpoint(endpoint, field, deps, signal);
      }),
    checkDataset: async (dataset) =>
      await runActivity(deps, async () => {
        const { bytes } = await openSource(dataset, deps.store.objects, deps.paths.baseDir);
        return { bytes };
      }),
    importDataset: async (input) =>
      await runActivity(deps, async (run) => await importDataset(deps, run, input)),
    selectNewRows: async (input) =>
      await runActivity(deps, async (run) => await selectNewRows(deps, run, input)),
    hashLabels: async ({ calibration }) =>
      await runActivity(deps, async () => await hashLabels(deps, calibration)),
    calibrateFilter: async (input) =>
      await runActivity(deps, async (run) => await calibrateFilter(deps, pools, run, input)),
    classifyShard: async (input) =>
      await runActivity(deps, async (run) => await classifyShard(deps, pools, run, input), SHARD),
    publishFilter: async (input) =>
      await runActivity(deps, async (run) => await publishFilter(deps, pools, run, input)),
    checkOracles: async (input) => await runActivity(deps, async () => await checkOracles(deps, input)),
    distilShard: async (input) =>
      await runActivity(deps, async (run) => await distilShard(deps, pools, run, input), SHARD),
    publishTraces: async (input) =>
      await runActivity(deps, async (run) => await publishTraces(deps, pools, run, input)),
    askSamples: async (input) =>
      await runActivity(deps, async (run) => await askSamples(deps, pools, run, input), SHARD),
    answerShard: async (input) =>
      await runActivity(deps, async (run) => await answerShard(deps, pools, run, input), SHARD),
    publishAnswers: async (input) =>
      await runActivity(deps, async (run) => await publishAnswers(deps, pools, run, input)),
    estimateCost: async (input) =>
      await runActivity(deps, async (run) => await estimateCost(deps, pools, run, input)),
  };
}
