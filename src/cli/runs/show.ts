/** A list of runs for a terminal. Pure. */
import { columns } from '../columns.ts';
import { formatSeconds, formatUsd } from '../progressLines.ts';
import { inLine } from '../traces/show.ts';
import type { ListedRun } from './list.ts';

const MS = 1000;

export function showRuns(runs: readonly ListedRun[], nowMs: number): string {
  if (runs.length === 0)
    return 'No run fits. `npx secpi run recipes/quick.json` starts one; the Temporal CLI does too.';
  const head = ['run', 'type', 'state', 'stage', 'cost', 'func-sec', 'started', 'took'];
  return columns([head, ...runs.map((run) => cells(run, nowMs).map(inLine))]);
}

function cells(run: ListedRun, nowMs: number): string[] {
  const { workflowId, type, state, stage, costUsd, funcSec, regression, startedAt, closedAt } = run;
  const endMs = closedAt === null ? nowMs : Date.parse(closedAt);
  return [
    workflowId,
    type,
    state,
    stage ?? '-',
    costUsd === null ? '-' : formatUsd(costUsd),
    `${funcSec === null ? '-' : `${(100 * funcSec).toFixed(1)} %`}${regression === true ? ' regression' : ''}`,
    startedAt.slice(0, 16).replace('T', ' '),
    formatSeconds(Math.max(0, endMs - Date.parse(startedAt)) / MS),
  ];
}
