/** The current details of a workflow in the Temporal UI: Markdown over the lines of its board. Pure. */
import type { StageProgress, WorkflowType } from '../contract/workflows.ts';
import { describeSeconds, describeTraining } from './trainingFigures.ts';

/** Where a stage stood when its pace began to be measured. */
export interface Pace {
  readonly atMs: number;
  readonly done: number;
}

/** At the mean pace since then; null while nothing was done meanwhile, and where the end is not known. */
export function secondsLeft(
  pace: Pace | null,
  { state, done, total }: Pick<StageProgress, 'state' | 'done' | 'total'>,
  nowMs: number,
): number | null {
  if (pace === null || state !== 'running' || total === null || done <= pace.done) return null;
  return ((nowMs - pace.atMs) / 1000 / (done - pace.done)) * Math.max(0, total - done);
}

export type ShownLine = StageProgress & { readonly secondsLeft: number | null };

export function renderDetails(workflow: WorkflowType, lines: readonly ShownLine[]): string {
  const rows = lines.map(({ name, state, done, total, unit, costUsd, seconds, note, ...line }) => {
    const amount = total === null ? (done === 0 ? '' : `${done} ${unit}`) : `${done} of ${total} ${unit}`;
    const time = seconds === null ? '' : `${seconds.toFixed(0)} s`;
    const left = line.secondsLeft === null ? '' : `about ${describeSeconds(line.secondsLeft)}`;
    return `| ${name} | ${state} | ${amount} | ${time} | ${left} | $${costUsd.toFixed(4)} | ${note.replaceAll('|', '\\|')} |`;
  });
  return [
    `**${workflow}**`,
    '',
    '| stage | state | progress | time | left | cost | note |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    ...lines.flatMap(({ state, training }) =>
      training === undefined ? [] : ['', describeTraining(training, state)],
    ),
  ].join('\n');
}
