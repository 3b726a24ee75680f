/** Queue `secpi-gpu`: one attempt at a training, and generation. */
import type { GpuActivities } from '../contract/activities.ts';
import { checkModel } from '../services/train/models.ts';
import { modelOptions, type GpuDeps } from './deps.ts';
import { generateSamples } from './generateSamples.ts';
import { runActivity } from './runActivity.ts';
import { trainModel } from './trainModel.ts';
import { openTraining } from './trainingTask.ts';

const GENERATE_STALL_MS = 60 * 60_000;

export function createGpuActivities(deps: GpuDeps): GpuActivities {
  return {
    checkModel: async ({ model, field }) =>
      await runActivity(deps, async () => await checkModel(model, field, modelOptions(deps))),
    openTraining: async (input) =>
      await runActivity(deps, async (run) => await openTraining(deps, run, input)),
    // Stalls are the training's own to find: it must end its trainer then, not leave it to the next attempt.
    trainModel: async (input) =>
      await runActivity(deps, async (run) => await trainModel(deps, run, input), {
        runStartedAtMs: Date.parse(input.runStartedAt),
      }),
    generateSamples: async (input) =>
      await runActivity(deps, async (run) => await generateSamples(deps, run, input), {
        stallAfterMs: GENERATE_STALL_MS,
      }),
  };
}
