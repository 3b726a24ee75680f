/** The figures of a training, and how people read them in the UI's details. Pure. */
import type { StageState, TrainingFigures } from '../contract/workflows.ts';

export const noFigures: TrainingFigures = {
  attempt: 1,
  step: 0,
  totalSteps: null,
  loss: null,
  tokensPerSecond: null,
  secondsLeft: null,
  peakShare: null,
  lastCheckpoint: null,
  resumedFrom: 0,
  gpuHours: 0,
  preemptions: 0,
  stepsRepeated: 0,
};

/** One line of figures; what is not known is left out. */
export function describeTraining(figures: TrainingFigures, state: StageState): string {
  const { step, totalSteps, loss, tokensPerSecond, secondsLeft, peakShare, lastCheckpoint } = figures;
  const share = peakShare === null ? '' : ` (${(peakShare * 100).toFixed(0)} % of the bf16 peak)`;
  return [
    `**step ${step}${totalSteps === null ? '' : ` of ${totalSteps}`}**`,
    ...(loss === null ? [] : [`loss ${loss.toFixed(4)}`]),
    ...(tokensPerSecond === null ? [] : [`${tokensPerSecond.toFixed(0)} tokens/s${share}`]),
    ...(secondsLeft === null || state !== 'running' ? [] : [`about ${describeSeconds(secondsLeft)} left`]),
    `${figures.gpuHours.toFixed(2)} GPU hours`,
    count(figures.preemptions, 'preemption'),
    `${count(figures.stepsRepeated, 'step')} repeated`,
    lastCheckpoint === null ? 'no checkpoint yet' : `last checkpoint: step ${lastCheckpoint}`,
    ...(figures.resumedFrom === 0 ? [] : [`resumed from step ${figures.resumedFrom}`]),
  ].join(' · ');
}

function count(amount: number, name: string): string {
  return `${amount} ${name}${amount === 1 ? '' : 's'}`;
}

export function describeSeconds(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
