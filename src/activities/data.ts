/** Queue `secpi-data`: reading datasets and asking models. */
import type { DataActivities } from '../contract/activities.ts';
import { openSource } from '../services/dataset/source.ts';
import type { Deps } from './deps.ts';
import { createLedgerPool, proveEndpoint } from './endpoints.ts';
import { distilShard, openTraces, publishTraces } from './distil.ts';
import { classifyShard, openFilter, publishFilter } from './filter.ts';
import { importDataset } from './importDataset.ts';
import { runActivity } from './runActivity.ts';

export function createDataActivities(deps: Deps, onFlushError: (error: unknown) => void): DataActivities {
  const ledgers = createLedgerPool(deps, onFlushError);
  return {
    checkEndpoints: async (checks) =>
      await runActivity(async ({ signal }) => {
        for (const { endpoint, field } of checks) await proveEndpoint(endpoint, field, deps, signal);
      }),
    checkDataset: async (dataset) =>
      await runActivity(async () => {
        const { bytes } = await openSource(dataset, deps.store.objects, deps.paths.baseDir);
        return { bytes };
      }),
    importDataset: async (input) => await runActivity(async (run) => await importDataset(deps, run, input)),
    openFilter: async (input) => await runActivity(async (run) => await openFilter(deps, run, input)),
    classifyShard: async (input) =>
      await runActivity(async (run) => await classifyShard(deps, ledgers, run, input)),
    publishFilter: async (input) => await runActivity(async (run) => await publishFilter(deps, run, input)),
    openTraces: async (input) => await runActivity(async (run) => await openTraces(deps, run, input)),
    distilShard: async (input) =>
      await runActivity(async (run) => await distilShard(deps, ledgers, run, input)),
    publishTraces: async (input) => await runActivity(async (run) => await publishTraces(deps, run, input)),
  };
}
