/**
 * Fine-tune: attempts at one training until it is finished. Preemptions, capacity waits and real errors are counted
 * apart, since a retry policy cannot tell them apart; an attempt resumes from the newest checkpoint of the store.
 */
import { ApplicationFailure, defineQuery, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import type { ErrorCode } from '../contract/errors.ts';
import {
  checkpointNowUpdateName,
  controlQueryName,
  fineTuneInputSchema,
  type Control,
  type FineTuneInput,
  type FineTuneResult,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { classifyLoss, parseOrFail } from './failures.ts';
import { gpu } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

const STAGE = 'fine-tune';
/** Real errors in a row that end the training; a crash resumes from a checkpoint, so a few are worth trying. */
const MAX_ERRORS = 4;
const MAX_PREEMPTIONS = 1000;
/** A vanished host may also be a crash: this many losses in a row without a newer checkpoint are an error. */
const MAX_LOSSES_WITHOUT_PROGRESS = 5;
const ERROR_PAUSE_MS = 2000;

export const controlQuery = defineQuery<Control>(controlQueryName);
export const checkpointNow = defineUpdate<number>(checkpointNowUpdateName);

export async function fineTune(input: unknown): Promise<FineTuneResult> {
  const parsed = parseOrFail(fineTuneInputSchema, input);
  const board = createBoard('fineTune', [{ name: STAGE, unit: 'steps' }]);
  let checkpointRequests = 0;
  setHandler(controlQuery, () => ({ checkpointRequests }));
  setHandler(checkpointNow, () => {
    checkpointRequests += 1;
    return checkpointRequests;
  });
  return await stageWorkflow(board, STAGE, async () => {
    board.attributes({ SecpiModel: parsed.finetune.model.uri });
    board.update(STAGE, { note: 'waiting for a free GPU worker' });
    return await train(parsed, board);
  });
}

async function train({ traces, finetune, reuse }: FineTuneInput, board: Board): Promise<FineTuneResult> {
  let preemptions = 0;
  let errors = 0;
  let lossesWithoutProgress = 0;
  let stepAtLoss = -1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await gpu.trainModel.executeWithOptions(
        {
          summary:
            attempt === 1
              ? `train ${finetune.model.uri}`
              : `train ${finetune.model.uri}, attempt ${attempt}: resumes`,
        },
        [{ traces, finetune, reuse, attempt }],
      );
      return { ...result, preemptions };
    } catch (error) {
      const loss = classifyLoss(error);
      const step = board.stage(STAGE).done;
      lossesWithoutProgress = step > stepAtLoss ? 1 : lossesWithoutProgress + 1;
      stepAtLoss = step;
      switch (loss.kind) {
        case 'cancelled':
          throw error;
        case 'preempted':
          preemptions += 1;
          board.update(STAGE, { note: `lost at step ${step} (${loss.why}); attempt ${attempt + 1} resumes` });
          if (preemptions > MAX_PREEMPTIONS) throw error;
          if (lossesWithoutProgress > MAX_LOSSES_WITHOUT_PROGRESS) {
            throw lost(
              'TRAINER_CRASHED',
              `${lossesWithoutProgress} attempts in a row were lost at step ${step}: likely out of memory or a crash, not preemption.`,
            );
          }
          break;
        case 'error':
          errors += 1;
          if (!loss.retryable || errors >= MAX_ERRORS) throw error;
          board.update(STAGE, { note: `${loss.code} at step ${step}; attempt ${attempt + 1} resumes` });
          await sleep(ERROR_PAUSE_MS * 2 ** (errors - 1));
          break;
      }
    }
  }
}

function lost(code: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message: `${code}: ${message}`, nonRetryable: true });
}
