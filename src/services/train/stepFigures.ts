/** Figures of a running training from its last steps. */
import type { TrainingFigures } from '../../contract/workflows.ts';
import type { StepEvent } from './trainerProtocol.ts';

const STEPS = 20;

export interface StepFigures {
  add(event: StepEvent, totalSteps: number | null): Partial<TrainingFigures>;
  /** A mean step in seconds; null before the first. */
  stepSeconds(): number | null;
}

/** Rates are means over the last 20 steps: smooth, yet soon right after a change. */
export function createStepFigures(): StepFigures {
  let last: StepEvent[] = [];
  const sum = (of: (event: StepEvent) => number): number =>
    last.reduce((total, event) => total + of(event), 0);
  const stepSeconds = (): number | null =>
    last.length === 0 ? null : sum(({ seconds }) => seconds) / last.length;
  return {
    stepSeconds,
    add(event, totalSteps) {
      last = [...last, event].slice(-STEPS);
      const seconds = sum((each) => each.seconds);
      const mean = stepSeconds() ?? 0;
      return {
        step: event.step,
        totalSteps,
        loss: event.loss,
        tokensPerSecond: seconds > 0 ? sum(({ tokens }) => tokens) / seconds : null,
        secondsLeft: totalSteps === null ? null : (totalSteps - event.step) * mean,
        peakShare: event.peakShare,
      };
    },
  };
}
