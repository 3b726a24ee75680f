/** Starts a run, or joins the one of the same input that is still open. */
import { WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { SecpiError } from '../contract/errors.ts';
import type { Recipe } from '../contract/recipe.ts';
import { describeRun, queues, type WorkflowType } from '../contract/workflows.ts';
import { fingerprint } from '../services/store/index.ts';
import type { Cluster } from './connections.ts';
import type { StackState } from './stack/stackState.ts';

const ID_DIGITS = 8;

export interface StartedRun {
  readonly handle: WorkflowHandle;
  readonly workflowId: string;
  readonly runId: string;
  /** The run was open already. */
  readonly joined: boolean;
}

/** Equal recipes have equal ids, so that calling again goes on with the open run instead of starting a second one. */
export function workflowIdOf(recipe: Recipe): string {
  return `secpi-${recipe.name}-${fingerprint({ recipe: JSON.stringify(recipe) }).slice(0, ID_DIGITS)}`;
}

export async function startOrJoin(
  { client }: Cluster,
  {
    type,
    workflowId,
    input,
    summary,
  }: {
    readonly type: WorkflowType;
    readonly workflowId: string;
    readonly input: unknown;
    readonly summary: string;
  },
): Promise<StartedRun> {
  const open = await openRun(client.workflow.getHandle(workflowId));
  if (open !== null)
    return { handle: client.workflow.getHandle(workflowId, open), workflowId, runId: open, joined: true };
  try {
    const handle = await client.workflow.start(type, {
      workflowId,
      taskQueue: queues.control,
      args: [input],
      staticSummary: summary,
      staticDetails: describeRun(type, workflowId),
    });
    return { handle, workflowId, runId: handle.firstExecutionRunId, joined: false };
  } catch (cause) {
    if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) throw cause;
    throw new SecpiError('RECIPE_INVALID', `a run with the id "${workflowId}" was started meanwhile.`, {
      field: '--workflow-id',
      remedy: 'Run the same command again to follow it.',
      cause,
    });
  }
}

async function openRun(handle: WorkflowHandle): Promise<string | null> {
  try {
    const { status, runId } = await handle.describe();
    return status.name === 'RUNNING' ? runId : null;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

export function runUrl(
  { temporal }: StackState,
  { workflowId, runId }: Pick<StartedRun, 'workflowId' | 'runId'>,
): string | null {
  if (temporal.uiUrl === null) return null;
  return `${temporal.uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`;
}
