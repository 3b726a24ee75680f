/** Runs as Temporal's visibility knows them, without asking any worker. */
import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributeType } from '@temporalio/common';
import { workflowTypes, type SearchAttributeName, type WorkflowType } from '../../contract/workflows.ts';
import { statusOf, type RunState } from './states.ts';

export interface ListedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  /** Temporal's newer states stand as it names them. */
  readonly state: RunState | Lowercase<WorkflowExecutionStatusName>;
  /** Of the search attributes; null where the run has not set it, or the namespace does not know it. */
  readonly stage: string | null;
  readonly recipe: string | null;
  readonly model: string | null;
  readonly costUsd: number | null;
  readonly funcSec: number | null;
  readonly regression: boolean | null;
  readonly startedAt: string;
  readonly closedAt: string | null;
  /** Workflow id of the run whose stage this is. */
  readonly parent: string | null;
}

export interface RunsWanted {
  readonly state?: RunState | undefined;
  readonly type?: WorkflowType | undefined;
  readonly children: boolean;
  readonly limit: number;
}

/** Those that go first, then by their end, the last first: Temporal's own order. */
export async function listRuns(client: Client, wanted: RunsWanted): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  if (wanted.limit === 0) return runs;
  for await (const info of client.workflow.list({ query: queryOf(wanted) })) {
    if (!wanted.children && info.parentExecution !== undefined) continue;
    runs.push(describe(info));
    if (runs.length === wanted.limit) break;
  }
  return runs;
}

/** Other programs' workflows in the namespace are none of ours. */
export function queryOf({ state, type }: Pick<RunsWanted, 'state' | 'type'>): string {
  const types = (type === undefined ? workflowTypes : [type]).map((name) => `'${name}'`).join(', ');
  const parts = [`WorkflowType IN (${types})`];
  if (state !== undefined) parts.push(`ExecutionStatus = '${statusOf[state]}'`);
  return parts.join(' AND ');
}

function describe(info: WorkflowExecutionInfo): ListedRun {
  const { workflowId, runId, type, status, startTime, closeTime, parentExecution } = info;
  return {
    workflowId,
    runId,
    type,
    state: stateOf(status.name),
    stage: attribute(info, 'SecpiStage', 'KEYWORD'),
    recipe: attribute(info, 'SecpiRecipe', 'KEYWORD'),
    model: attribute(info, 'SecpiModel', 'KEYWORD'),
    costUsd: attribute(info, 'SecpiCostUsd', 'DOUBLE'),
    funcSec: attribute(info, 'SecpiFuncSec', 'DOUBLE'),
    regression: attribute(info, 'SecpiRegression', 'BOOL'),
    startedAt: startTime.toISOString(),
    closedAt: closeTime?.toISOString() ?? null,
    parent: parentExecution?.workflowId ?? null,
  };
}

function attribute<Type extends SearchAttributeType>(
  { typedSearchAttributes }: WorkflowExecutionInfo,
  name: SearchAttributeName,
  type: Type,
) {
  return typedSearchAttributes.get(defineSearchAttributeKey(name, type)) ?? null;
}

export function stateOf(name: WorkflowExecutionStatusName): ListedRun['state'] {
  switch (name) {
    case 'RUNNING':
      return 'running';
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed-out';
    case 'CONTINUED_AS_NEW':
      return 'continued';
    case 'PAUSED':
      return 'paused';
    case 'UNSPECIFIED':
      return 'unspecified';
    case 'UNKNOWN':
      return 'unknown';
  }
}
