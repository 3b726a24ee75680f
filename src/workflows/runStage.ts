/** A stage as a child of its own, named after it, so that the tree in the UI reads itself. */
import {
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
  workflowInfo,
  type Workflow,
  type WorkflowResultType,
} from '@temporalio/workflow';
import { describeRun, type StageResult, type WorkflowType } from '../contract/workflows.ts';
import type { Board } from './board.ts';
import type { EvaluateContext } from './evaluateModel.ts';
import type { FilterContext } from './filterDataset.ts';
import type { StageContext } from './shardedStage.ts';

/** Shows it on the board from its start to its end. */
export async function runStage<Type extends Workflow>(
  board: Board,
  name: string,
  type: WorkflowType,
  input: unknown,
  context?: StageContext | FilterContext | EvaluateContext,
): Promise<WorkflowResultType<Type>> {
  board.begin(name, 'starting');
  const workflowId = `${workflowInfo().workflowId}/${name.replaceAll(' ', '-')}`;
  const result = (await executeChild(type, {
    args: context === undefined ? [input] : [input, context],
    workflowId,
    staticSummary: `${name} of ${workflowInfo().workflowId}`,
    staticDetails: describeRun(type, workflowId),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  })) as WorkflowResultType<Type> & StageResult;
  const { artifact, reused, usage } = result;
  board.update(name, {
    state: reused ? 'reused' : 'done',
    done: artifact.rows,
    total: artifact.rows,
    costUsd: reused ? 0 : usage.costUsd,
    artifact: artifact.uri,
    note: reused ? 'reused a finished artefact' : '',
    seconds: result.seconds,
  });
  return result;
}
