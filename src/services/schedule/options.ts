/** A schedule file as Temporal takes it. Pure. */
import type { ScheduleOptions, ScheduleOverlapPolicy, ScheduleUpdateOptions } from '@temporalio/client';
import type { OverlapName, ScheduleFile } from '../../contract/schedule.ts';
import { queues } from '../../contract/workflows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const overlapPolicies = {
  skip: 'SKIP',
  bufferOne: 'BUFFER_ONE',
  bufferAll: 'BUFFER_ALL',
  cancelOther: 'CANCEL_OTHER',
  terminateOther: 'TERMINATE_OTHER',
  allowAll: 'ALLOW_ALL',
} as const satisfies Record<OverlapName, ScheduleOverlapPolicy>;

/** Runs are called `<id>-<scheduled time>`: Temporal adds the time to the workflow id. */
export function toScheduleOptions(file: ScheduleFile): ScheduleOptions {
  return { scheduleId: file.id, ...definitionOf(file) };
}

/** Whether it is paused, and why, stays as it is. */
export function toScheduleUpdate(
  file: ScheduleFile,
  state: ScheduleUpdateOptions['state'],
): ScheduleUpdateOptions {
  return { ...definitionOf(file), state };
}

function definitionOf(file: ScheduleFile): Omit<ScheduleUpdateOptions, 'state'> {
  const { id, workflow, cron, timeZone, jitterMinutes, overlap, catchUpHours, pauseOnFailure, input } = file;
  return {
    spec: { cronExpressions: cron, timezone: timeZone, jitter: jitterMinutes * MINUTE_MS },
    policies: {
      overlap: overlapPolicies[overlap],
      catchupWindow: catchUpHours * HOUR_MS,
      pauseOnFailure,
    },
    action: {
      type: 'startWorkflow',
      workflowType: workflow,
      workflowId: id,
      taskQueue: queues.control,
      args: [input],
      staticSummary: `${workflow} by the schedule ${id}`,
    },
  };
}
