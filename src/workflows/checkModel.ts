/** Is the model to train there? Asked before anything is paid. */
import { ActivityFailure, log, TimeoutFailure } from '@temporalio/workflow';
import type { FinetuneSettings } from '../contract/recipe.ts';
import { checks } from './stages.ts';

/** A GPU that is busy with another run must not hold up this check: the stage itself looks again. */
export async function checkModelIfFree(finetune: FinetuneSettings): Promise<void> {
  try {
    await checks
      .gpu(finetune.gpu.class)
      .checkModel.executeWithOptions(
        { summary: 'is the target model there?', scheduleToStartTimeout: '15s' },
        [{ model: finetune.model, field: 'finetune.model.uri' }],
      );
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    if (!(cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START')) throw error;
    log.warn('no free GPU worker to look for the model; its stage will');
  }
}
