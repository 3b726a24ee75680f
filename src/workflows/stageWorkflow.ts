/** What every stage workflow does around its work: the environment, the board, and how its end is told. */
import { ContinueAsNew, isCancellation } from '@temporalio/workflow';
import type { StageResult } from '../contract/workflows.ts';
import type { Board } from './board.ts';
import { surface } from './failures.ts';
import { checks } from './stages.ts';

export async function stageWorkflow<Result extends StageResult>(
  board: Board,
  stage: string,
  body: () => Promise<Result>,
): Promise<Result> {
  try {
    board.begin(stage, 'checking');
    const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
      { summary: 'is the store fit? what does the namespace know?' },
      [],
    );
    board.allowAttributes(searchAttributes);
    const result = await body();
    const { artifact, reused, usage } = result;
    // A reused artefact was paid by the run that made it.
    const costUsd = reused ? 0 : usage.costUsd;
    board.update(stage, {
      state: reused ? 'reused' : 'done',
      done: artifact.rows,
      total: artifact.rows,
      costUsd,
      artifact: artifact.uri,
      note: reused ? 'reused a finished artefact' : '',
    });
    board.attributes({ SecpiReused: reused, SecpiCostUsd: costUsd });
    return result;
  } catch (error) {
    // Not an end: the stage goes on as the next run.
    if (error instanceof ContinueAsNew) throw error;
    const cancelled = isCancellation(error);
    const told = surface(error);
    board.update(stage, {
      state: cancelled ? 'cancelled' : 'failed',
      note: cancelled ? 'cancelled' : firstLine(told),
    });
    throw told;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 300) ?? '';
}
