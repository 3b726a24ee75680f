/** Queue `secpi-gpu`: one attempt at a training, and generation. */
import type { GpuActivities } from '../contract/activities.ts';
import { checkModel } from '../services/train/models.ts';
import { modelOptions, type Deps } from './deps.ts';
import { generateSamples } from './generateSamples.ts';
import { runActivity } from './runActivity.ts';
import { trainModel } from './trainModel.ts';

/** A training that says nothing for this long is stalled: loading a large model and one step fit in. */
const TRAIN_STALL_MS = 30 * 60_000;
const GENERATE_STALL_MS = 60 * 60_000;

export function createGpuActivities(deps: Deps): GpuActivities {
  return {
    checkModel: async ({ model, field }) =>
      await runActivity(deps, async () => await checkModel(model, field, modelOptions(deps))),
    trainModel: async (input) =>
      await runActivity(deps, async (run) => await trainModel(deps, run, input), {
        stallAfterMs: TRAIN_STALL_MS,
      }),
    generateSamples: async (input) =>
      await runActivity(deps, async (run) => await generateSamples(deps, run, input), {
        stallAfterMs: GENERATE_STALL_MS,
      }),
  };
}
