/** A schedule as people and programs read it. */
import type { ScheduleDescription, ScheduleSummary } from '@temporalio/client';

export interface ScheduleLine {
  readonly id: string;
  readonly workflow: string;
  readonly paused: boolean;
  /** Why it is paused, or "". */
  readonly note: string;
  /** ISO 8601. */
  readonly next: string | null;
  readonly lastRun: string | null;
}

export interface ScheduleView extends Omit<ScheduleLine, 'next' | 'lastRun'> {
  readonly timeZone: string;
  readonly jitterMinutes: number;
  readonly overlap: string;
  readonly catchUpHours: number;
  readonly pauseOnFailure: boolean;
  readonly next: readonly string[];
  /** Newest first. */
  readonly runs: readonly {
    readonly scheduledAt: string;
    readonly takenAt: string;
    readonly workflowId: string;
  }[];
  readonly running: readonly string[];
  readonly taken: number;
  /** Times that passed while nobody could start them, longer ago than `catchUpHours`. */
  readonly missed: number;
  /** Times at which the run before still went. */
  readonly skipped: number;
  readonly input: unknown;
}

export function lineOf({ scheduleId, action, state, info }: ScheduleSummary): ScheduleLine {
  return {
    id: scheduleId,
    workflow: action?.workflowType ?? '',
    paused: state.paused,
    note: state.note ?? '',
    next: info.nextActionTimes[0]?.toISOString() ?? null,
    lastRun: info.recentActions.at(-1)?.action.workflow.workflowId ?? null,
  };
}

export function viewOf({
  scheduleId,
  action,
  spec,
  policies,
  state,
  info,
}: ScheduleDescription): ScheduleView {
  return {
    id: scheduleId,
    workflow: action.workflowType,
    paused: state.paused,
    note: state.note ?? '',
    timeZone: spec.timezone ?? 'UTC',
    jitterMinutes: (spec.jitter ?? 0) / 60_000,
    overlap: policies.overlap ?? 'SKIP',
    catchUpHours: policies.catchupWindow / 3_600_000,
    pauseOnFailure: policies.pauseOnFailure,
    next: info.nextActionTimes.map((time) => time.toISOString()),
    runs: info.recentActions
      .map(({ scheduledAt, takenAt, action: { workflow } }) => ({
        scheduledAt: scheduledAt.toISOString(),
        takenAt: takenAt.toISOString(),
        workflowId: workflow.workflowId,
      }))
      .toReversed(),
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    taken: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
    input: action.args?.[0] ?? null,
  };
}

export function showLines(lines: readonly ScheduleLine[]): string {
  if (lines.length === 0)
    return 'No schedule is there. `npx secpi schedule apply recipes/nightly.json` makes one.';
  return lines
    .map(({ id, workflow, paused, note, next, lastRun }) =>
      [
        id,
        workflow,
        paused ? `paused${note === '' ? '' : ` (${note})`}` : `next ${next ?? 'never'}`,
        lastRun === null ? 'no run yet' : `last ${lastRun}`,
      ].join('  '),
    )
    .join('\n');
}

export function showView(view: ScheduleView): string {
  const { paused, note } = view;
  return [
    `${view.id}: ${view.workflow}${paused ? `, paused${note === '' ? '' : ` (${note})`}` : ''}`,
    `Time zone  ${view.timeZone}, jitter ${view.jitterMinutes} min`,
    `Policies   overlap ${view.overlap}, catch-up ${view.catchUpHours} h, ${view.pauseOnFailure ? 'pauses on failure' : 'goes on after a failure'}`,
    `Next       ${paused ? 'none while it is paused' : view.next.slice(0, 3).join(', ') || 'never'}`,
    `Taken      ${view.taken}, missed ${view.missed}, skipped because the run before still went ${view.skipped}`,
    ...view.running.map((id) => `Running    ${id}`),
    ...view.runs.map(({ scheduledAt, workflowId }) => `Run        ${scheduledAt}  ${workflowId}`),
  ].join('\n');
}
