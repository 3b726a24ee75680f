/**
 * The user's hand on a training: the control query that its host polls, the updates, the limits on hours, and the
 * figures that only the workflow knows (GPU hours, steps repeated).
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { TrainingLimits } from '../contract/recipe.ts';
import {
  checkpointNowUpdateName,
  controlQueryName,
  pauseUpdateName,
  resumeSchema,
  resumeUpdateName,
  stopEarlyUpdateName,
  type Control,
  type TrainingFigures,
  type TrainingState,
} from '../contract/workflows.ts';
import type { Board, StagePatch } from './board.ts';
import { parseOrFail } from './failures.ts';

export const controlQuery = defineQuery<Control>(controlQueryName);
export const checkpointNow = defineUpdate<TrainingState>(checkpointNowUpdateName);
export const pause = defineUpdate<TrainingState>(pauseUpdateName);
export const resume = defineUpdate<TrainingState, [unknown?]>(resumeUpdateName);
export const stopEarly = defineUpdate<TrainingState>(stopEarlyUpdateName);

/** An update waits so long for what it asks; then it answers with how things stand. */
const ANSWER_WITHIN_MS = 60_000;

type LimitName = 'maxGpuHours' | 'maxWallHours';

interface Pause {
  readonly why: string;
  /** The limit that must be raised first; null when somebody asked for the pause. */
  readonly limit: LimitName | null;
}

export interface ControlSnapshot {
  readonly checkpointRequests: number;
  readonly paused: Pause | null;
  readonly stopping: boolean;
  readonly gpuMs: number;
  readonly stepsRepeated: number;
  readonly figures: Partial<TrainingFigures>;
  readonly raised: Partial<Record<LimitName, number>>;
}

export interface TrainingControl {
  /** Of what hosts tell: adds what only the workflow knows. */
  onTold(stage: string, patch: StagePatch): StagePatch;
  /** Resolves at once, or when a pause is over. */
  untilWanted(): Promise<void>;
  /** Runs an attempt: counts its GPU time, and asks it to pause when a limit is reached. */
  during<T>(attempt: number, scope: CancellationScope, work: () => Promise<T>): Promise<T>;
  isPaused(): boolean;
  /** Whether the last attempt was cancelled here, because it waited in a queue when a pause was asked for. */
  calledBack(): boolean;
  /** What a heartbeat told of a host that was lost. */
  heardLast(details: unknown): void;
  /** The newest checkpoint, as the store or the end of an attempt tells it. */
  savedAt(step: number): void;
  /** There was nothing to export: goes on training. False when nobody had asked to stop. */
  refuseStop(): boolean;
  totals(): { readonly gpuHours: number; readonly stepsRepeated: number };
  snapshot(): ControlSnapshot;
}

export function createTrainingControl({
  board,
  stage,
  limits,
  startedAt,
  resumed,
}: {
  readonly board: Board;
  readonly stage: string;
  readonly limits: TrainingLimits;
  readonly startedAt: string;
  readonly resumed: ControlSnapshot | null;
}): TrainingControl {
  let state: ControlSnapshot = resumed ?? {
    checkpointRequests: 0,
    paused: null,
    stopping: false,
    gpuMs: 0,
    stepsRepeated: 0,
    figures: {},
    raised: {},
  };
  let running: CancellationScope | null = null;
  /** When the host of the running attempt was first heard of: from then on it costs. */
  let hostSinceMs: number | null = null;
  let attempt = 0;
  let isNewHost = false;
  let wasCalledBack = false;
  const { workflowId } = workflowInfo();

  const set = (change: Partial<ControlSnapshot>): void => {
    state = { ...state, ...change };
  };
  const wanted = (): Control['wanted'] => {
    if (state.paused !== null) return 'pause';
    return state.stopping ? 'stop' : 'train';
  };
  const gpuMs = (): number => state.gpuMs + (hostSinceMs === null ? 0 : Date.now() - hostSinceMs);
  const gpuHours = (): number => gpuMs() / 3_600_000;
  const limit = (name: LimitName): number => state.raised[name] ?? limits[name] ?? Number.POSITIVE_INFINITY;
  const describe = (): TrainingState => ({
    state: running === null ? (state.paused === null ? 'waiting' : 'paused') : stateOfRunning(),
    step: state.figures.step ?? 0,
    lastCheckpoint: state.figures.lastCheckpoint ?? null,
  });
  const stateOfRunning = (): TrainingState['state'] =>
    wanted() === 'train' ? (hostSinceMs === null ? 'waiting' : 'training') : 'stopping';
  const show = (): void => {
    const { paused } = state;
    if (paused === null || running !== null) {
      board.hold(stage, null);
      return;
    }
    const { why, limit: name } = paused;
    const raise = name === null ? '' : ` --input '{"${name}": ${Math.ceil(limit(name) * 200) / 100}}'`;
    board.hold(
      stage,
      `${why} The state is safe and no GPU is held. Go on: temporal workflow update execute --workflow-id ${workflowId} --name ${resumeUpdateName}${raise}`,
    );
  };
  /**
   * A first attempt that waits in a queue has nobody to ask, and is taken back. A later one stays: a trainer may have
   * outlived the attempt before, and the worker that takes this one up saves and ends it.
   */
  const callBack = (): void => {
    if (running === null || hostSinceMs !== null || state.gpuMs > 0) return;
    wasCalledBack = true;
    running.cancel();
  };
  const pauseFor = (pause: Pause): void => {
    set({ paused: pause });
    board.update(stage, { note: `pauses: ${pause.why} Saving.` });
    callBack();
    show();
  };
  const wallMsLeft = (): number => Date.parse(startedAt) + limit('maxWallHours') * 3_600_000 - Date.now();
  /** Without a host no GPU hours pass. */
  const msToLimit = (): number =>
    hostSinceMs === null
      ? wallMsLeft()
      : Math.min(wallMsLeft(), (limit('maxGpuHours') - gpuHours()) * 3_600_000);
  const limitReached = (): Pause | null => {
    if (gpuHours() >= limit('maxGpuHours'))
      return {
        why: `${gpuHours().toFixed(2)} GPU hours are used, limits.maxGpuHours is ${limit('maxGpuHours')}.`,
        limit: 'maxGpuHours',
      };
    if (wallMsLeft() <= 0)
      return { why: `limits.maxWallHours ${limit('maxWallHours')} are over.`, limit: 'maxWallHours' };
    return null;
  };
  const watchLimits = async (): Promise<void> => {
    while (!state.stopping) {
      const reached = limitReached();
      if (reached !== null) {
        if (state.paused === null) pauseFor(reached);
        // It may be raised before the host has heard of the pause.
        await condition(() => state.paused === null || state.stopping);
        continue;
      }
      const heardMs = hostSinceMs;
      const leftMs = msToLimit();
      const isChanged = (): boolean => hostSinceMs !== heardMs || state.stopping;
      await (Number.isFinite(leftMs)
        ? condition(isChanged, Math.max(1000, Math.ceil(leftMs)))
        : condition(isChanged));
    }
  };

  setHandler(controlQuery, () => ({ checkpointRequests: state.checkpointRequests, wanted: wanted() }));
  setHandler(checkpointNow, async () => {
    set({ checkpointRequests: state.checkpointRequests + 1 });
    const before = state.figures.lastCheckpoint ?? 0;
    if (hostSinceMs !== null)
      await condition(
        () => (state.figures.lastCheckpoint ?? 0) > before || running === null,
        ANSWER_WITHIN_MS,
      );
    return describe();
  });
  setHandler(
    pause,
    async () => {
      pauseFor({ why: 'somebody asked for it.', limit: null });
      await condition(() => running === null, ANSWER_WITHIN_MS);
      return describe();
    },
    { validator: () => refuseWhen(state.stopping, 'the training is being stopped already') },
  );
  setHandler(
    resume,
    (raise?: unknown) => {
      const before = state.raised;
      const { maxGpuHours, maxWallHours } = parseOrFail(resumeSchema, raise ?? {});
      set({
        raised: {
          ...before,
          ...(maxGpuHours === undefined ? {} : { maxGpuHours }),
          ...(maxWallHours === undefined ? {} : { maxWallHours }),
        },
      });
      const reached = state.stopping ? null : limitReached();
      if (reached !== null) {
        set({ raised: before });
        throw refusal(`${reached.why} Remedy: resume with a higher {"${reached.limit}": …}, or stopEarly`);
      }
      set({ paused: null });
      show();
      return describe();
    },
    {
      validator: (raise?: unknown) => {
        parseOrFail(resumeSchema, raise ?? {});
        refuseWhen(state.paused === null, 'the training is not paused');
      },
    },
  );
  setHandler(
    stopEarly,
    () => {
      set({ stopping: true, paused: null });
      board.update(stage, { note: 'stopping early: the best checkpoint is exported' });
      show();
      return describe();
    },
    {
      validator: () =>
        refuseWhen(
          (state.figures.lastCheckpoint ?? 0) === 0 && (state.figures.step ?? 0) === 0,
          'nothing is trained yet that could be exported',
        ),
    },
  );

  return {
    onTold: (_, patch) => {
      if (running === null) return patch;
      const told = patch.training;
      // A host that was given up and woke, or a signal that was long on its way.
      if (told?.attempt !== attempt) return {};
      hostSinceMs ??= Date.now();
      const lastStep = state.figures.step ?? 0;
      if (told.resumedFrom !== undefined && isNewHost) {
        isNewHost = false;
        set({ stepsRepeated: state.stepsRepeated + Math.max(0, lastStep - told.resumedFrom) });
      }
      set({ figures: { ...state.figures, ...told } });
      return {
        ...patch,
        training: { ...told, gpuHours: gpuHours(), stepsRepeated: state.stepsRepeated },
      };
    },
    untilWanted: async () => {
      const reached = limitReached();
      if (reached !== null && !state.stopping && state.paused === null) set({ paused: reached });
      if (state.paused === null) return;
      board.update(stage, { state: 'running', note: '' });
      show();
      await condition(() => state.paused === null);
      show();
    },
    during: async (number, scope, work) => {
      attempt = number;
      running = scope;
      hostSinceMs = null;
      isNewHost = true;
      wasCalledBack = false;
      const watch = new CancellationScope();
      const watching = watch.run(watchLimits).catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
      try {
        return await work();
      } finally {
        watch.cancel();
        set({ gpuMs: gpuMs() });
        board.update(stage, { training: { gpuHours: state.gpuMs / 3_600_000 } });
        running = null;
        hostSinceMs = null;
        await watching;
      }
    },
    isPaused: () => state.paused !== null,
    calledBack: () => wasCalledBack,
    heardLast: (details) => {
      const step = lastStepIn(details);
      if (step > (state.figures.step ?? 0)) set({ figures: { ...state.figures, step } });
    },
    savedAt: (step) => {
      if (step <= (state.figures.lastCheckpoint ?? 0)) return;
      const told = { step: Math.max(step, state.figures.step ?? 0), lastCheckpoint: step };
      set({ figures: { ...state.figures, ...told } });
      board.update(stage, { training: told });
    },
    refuseStop: () => {
      if (!state.stopping) return false;
      set({ stopping: false });
      board.update(stage, { note: 'nothing is trained yet that could be exported; the training goes on' });
      return true;
    },
    totals: () => ({ gpuHours: gpuHours(), stepsRepeated: state.stepsRepeated }),
    snapshot: () => state,
  };
}

/** Heartbeats of a training carry its step. */
function lastStepIn(details: unknown): number {
  const step: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, 'step') : null;
  return typeof step === 'number' ? step : 0;
}

function refuseWhen(condition: boolean, problem: string): void {
  if (condition) throw refusal(problem);
}

function refusal(problem: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'RECIPE_INVALID',
    message: `RECIPE_INVALID: ${problem}.`,
    nonRetryable: true,
  });
}
