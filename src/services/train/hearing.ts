/** What a trainer said, kept and passed on: figures and notes to people, checkpoints to the uploads. */
import type { TrainingFigures } from '../../contract/workflows.ts';
import { createStepFigures } from './stepFigures.ts';
import type {
  CheckpointEvent,
  ErrorEvent,
  FinishedEvent,
  StartedEvent,
  StepEvent,
  TrainerEvent,
} from './trainerProtocol.ts';

export interface Heard {
  readonly started: StartedEvent | null;
  readonly finished: FinishedEvent | null;
  readonly error: ErrorEvent | null;
  readonly toldExitCode: number | null;
  readonly lastCheckpoint: CheckpointEvent | null;
  /** When the last step was heard; the beginning before the first. */
  readonly lastStepMs: number;
}

export interface Hearing {
  heard(): Heard;
  take(event: TrainerEvent): Promise<void>;
  /** All that was said before an adoption has been taken: from here on it is passed on as it comes. */
  catchUp(): Promise<void>;
  /** A mean step of the last ones; null before the first. */
  stepSeconds(): number | null;
  /** Between its start and its last step the GPU is to be busy; loading and export are work of the processor. */
  isStepping(): boolean;
}

export interface Listener {
  onFigures(figures: Partial<TrainingFigures>, note: string): void;
  onNote(note: string): void;
  /** Once: the first step that is heard as it is made. */
  onFirstStep(started: StartedEvent | null): void;
  onCheckpoint(event: CheckpointEvent): Promise<void>;
  /** The newest one that was told before the adoption. */
  onEarlierCheckpoint(event: CheckpointEvent): Promise<void>;
}

export function createHearing(listener: Listener, { adopted }: { readonly adopted: boolean }): Hearing {
  const figures = createStepFigures();
  let started: StartedEvent | null = null;
  let finished: FinishedEvent | null = null;
  let error: ErrorEvent | null = null;
  let toldExitCode: number | null = null;
  let lastStep: StepEvent | null = null;
  let lastStepMs = Date.now();
  let lastCheckpoint: CheckpointEvent | null = null;
  let isCatchingUp = adopted;
  let hasSeenStep = false;

  function note(text: string): void {
    if (!isCatchingUp) listener.onNote(text);
  }

  function takeStep(event: StepEvent): void {
    lastStep = event;
    lastStepMs = Date.now();
    const told = figures.add(event, started?.totalSteps ?? null);
    if (isCatchingUp) return;
    listener.onFigures(told, describeStep(event, told));
    if (!hasSeenStep) listener.onFirstStep(started);
    hasSeenStep = true;
  }

  return {
    heard: () => ({ started, finished, error, toldExitCode, lastCheckpoint, lastStepMs }),
    stepSeconds: () => figures.stepSeconds(),
    isStepping: () => started !== null && (lastStep?.step ?? 0) < started.totalSteps,
    async take(event) {
      switch (event.event) {
        case 'started':
          started = event;
          if (!isCatchingUp) listener.onFigures({ totalSteps: event.totalSteps }, describeStarted(event));
          break;
        case 'step':
          takeStep(event);
          break;
        case 'evaluated':
          note(describeEvaluation(event));
          break;
        case 'diverging':
          note(`loss spike at step ${event.step}: ${event.loss ?? 'not finite'}, median ${event.median}`);
          break;
        case 'saving':
          break;
        case 'checkpoint':
          lastCheckpoint = event;
          if (!isCatchingUp) await listener.onCheckpoint(event);
          break;
        case 'finished':
          finished = event;
          break;
        case 'error':
          error = event;
          break;
        case 'ended':
          toldExitCode = event.exitCode;
          break;
      }
    },
    async catchUp() {
      if (!isCatchingUp) return;
      isCatchingUp = false;
      if (lastCheckpoint !== null) await listener.onEarlierCheckpoint(lastCheckpoint);
      if (lastStep === null) return;
      const told = figures.latest(started?.totalSteps ?? null);
      if (told !== null) listener.onFigures(told, describeStep(lastStep, told));
    },
  };
}

/** The losses before the first step can take as long as many steps. */
function describeStarted({ resumedFromStep }: StartedEvent): string {
  return resumedFromStep === null ? 'loaded; measures the losses before the first step' : 'loaded';
}

function describeStep({ loss }: StepEvent, { tokensPerSecond }: Partial<TrainingFigures>): string {
  return `loss ${loss?.toFixed(3) ?? 'not finite'} · ${(tokensPerSecond ?? 0).toFixed(0)} tokens/s`;
}

function describeEvaluation({
  step,
  evalLoss,
  guardLoss,
}: Extract<TrainerEvent, { event: 'evaluated' }>): string {
  const losses = [
    ...(evalLoss === null ? [] : [`held-out loss ${evalLoss.toFixed(4)}`]),
    ...(guardLoss === null ? [] : [`guard loss ${guardLoss.toFixed(4)}`]),
  ];
  return losses.length === 0 ? `step ${step} evaluated` : `${losses.join(', ')} at step ${step}`;
}
