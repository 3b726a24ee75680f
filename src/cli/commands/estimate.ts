/** `secpi estimate RECIPE`: what filter and distil will cost, before they do. */
import { parseRecipe } from '../../contract/parse.ts';
import type { Recipe } from '../../contract/recipe.ts';
import { estimateSchema, type EstimateInput } from '../../contract/workflows.ts';
import { renderEstimate } from '../../services/estimate/renderEstimate.ts';
import { exitCodes } from '../exit.ts';
import { follow } from '../follow.ts';
import { watchInterrupts } from '../interrupt.ts';
import { readInputFile } from '../recipeFile.ts';
import { openSession } from '../session.ts';
import { readSettings } from '../settings.ts';
import { startOrJoin, workflowIdOf } from '../startRun.ts';
import { uploadDataset } from '../uploadLocal.ts';

export interface EstimateOptions {
  /** Rows asked of each model. */
  readonly sampleClassifier: number;
  readonly sampleTeacher: number;
  readonly json: boolean;
}

/** On a running stack or the user's cluster. With `json` standard output holds the estimate and nothing else. */
export async function estimate(recipePath: string, options: EstimateOptions): Promise<number> {
  const recipe = parseRecipe(await readInputFile(recipePath));
  const settings = readSettings(process.env);
  const progress = options.json ? process.stderr : process.stdout;
  const say = (line: string): void => void progress.write(`${line}\n`);
  const interruption = watchInterrupts(() => say('No longer following; the estimate goes on.'));
  const session = await openSession({ settings, say, interruption, stack: 'use' });
  try {
    const dataset = await uploadDataset(recipe.dataset, {
      store: session.store,
      namespace: session.state.temporal.namespace,
      cwd: process.cwd(),
      recipePath,
      say,
    });
    const { handle } = await startOrJoin(session.cluster, {
      type: 'estimateCost',
      workflowId: `${workflowIdOf({ ...recipe, dataset })}-estimate`,
      input: inputOf({ ...recipe, dataset }, options),
      summary: `estimate of ${recipe.name}`,
    });
    const result = estimateSchema.parse(
      await follow({ cluster: session.cluster, handle, out: progress, signal: interruption.signal }),
    );
    process.stdout.write(
      options.json ? `${JSON.stringify(result, null, 2)}\n` : `\n${renderEstimate(result)}\n`,
    );
    return exitCodes.ok;
  } finally {
    await session.close();
    interruption.dispose();
  }
}

function inputOf({ dataset, filter, distill, reuse }: Recipe, options: EstimateOptions): EstimateInput {
  return {
    version: 1,
    reuse,
    dataset,
    filter,
    distill,
    sample: { classifier: options.sampleClassifier, teacher: options.sampleTeacher },
  };
}
