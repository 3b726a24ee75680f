/** Figures of a running training from its last steps. */
import type { TrainingFigures } from '../../contract/workflows.ts';
import type { StepEvent } from './trainerProtocol.ts';

const STEPS = 20;

export interface StepFigures {
  add(event: StepEvent, totalSteps: number | null): Partial<TrainingFigures>;
  /** Of the last step that was added; null before the first. */
  latest(totalSteps: number | null): Partial<TrainingFigures> | null;
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

  function figuresOf(
    { step, loss, peakShare }: StepEvent,
    totalSteps: number | null,
  ): Partial<TrainingFigures> {
    const seconds = sum((each) => each.seconds);
    return {
      step,
      totalSteps,
      loss,
      tokensPerSecond: seconds > 0 ? sum(({ tokens }) => tokens) / seconds : null,
      secondsLeft: totalSteps === null ? null : (totalSteps - step) * (stepSeconds() ?? 0),
      peakShare,
    };
  }

  return {
    stepSeconds,
    add(event, totalSteps) {
      last = [...last, event].slice(-STEPS);
      return figuresOf(event, totalSteps);
    },
    latest(totalSteps) {
      const event = last.at(-1);
      return event === undefined ? null : figuresOf(event, totalSteps);
    },
  };
}
