/** A whole run as one line of the experiment that it is a variant of: in stages, not in their rows or steps. */
import type { StageProgress } from '../contract/workflows.ts';

/** Its end is told by the run's result, not by a line. */
export function variantLine(name: string, stages: readonly StageProgress[]): StageProgress {
  const over = stages.filter(({ state }) => state === 'done' || state === 'reused');
  const current = stages.filter(({ state }) => state === 'running' || state === 'paused');
  return {
    name,
    state: current.some(({ state }) => state === 'paused') ? 'paused' : 'running',
    unit: 'stages',
    done: over.length,
    total: stages.length,
    costUsd: stages.reduce((sum, { costUsd }) => sum + costUsd, 0),
    note: current.map(noteOf).join('; '),
    artifact: null,
    seconds: null,
  };
}

function noteOf({ name, state, done, total, unit, note }: StageProgress): string {
  if (state === 'paused') return `${name}: ${note}`;
  return total === null || done === 0 ? name : `${name} ${done} of ${total} ${unit}`;
}
