/** What a running workflow tells, and what it can be told. */
import { z } from 'zod';
import type { WorkflowType } from './names.ts';

export type StageState = 'waiting' | 'running' | 'paused' | 'done' | 'reused' | 'failed' | 'cancelled';

/** Of a training, as its host and its workflow know it. */
export interface TrainingFigures {
  /** Of the run; what a host tells of another attempt than the running one comes too late. */
  readonly attempt: number;
  readonly step: number;
  readonly totalSteps: number | null;
  /** Nats per trained token, of the last step. */
  readonly loss: number | null;
  readonly tokensPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Share of the GPU's bf16 peak that the model's arithmetic used; null where the peak is not known. */
  readonly peakShare: number | null;
  /** Step of the newest checkpoint that is safe in the store. */
  readonly lastCheckpoint: number | null;
  /** The step that the running attempt began after. */
  readonly resumedFrom: number;
  readonly gpuHours: number;
  readonly preemptions: number;
  readonly stepsRepeated: number;
}

/** One line of the progress query. Units of rows: dataset rows, traces, steps or samples, as `unit` says. */
export interface StageProgress {
  readonly name: string;
  readonly state: StageState;
  readonly unit: 'rows' | 'traces' | 'steps' | 'samples' | 'files';
  readonly done: number;
  readonly total: number | null;
  readonly costUsd: number;
  /** What happens now, in a few words: "loss 0.71 · 9 tokens/s", "attempt 2, resumed from step 20". */
  readonly note: string;
  readonly artifact: string | null;
  readonly seconds: number | null;
  /** Only of a training. */
  readonly training?: TrainingFigures;
}

/** Answer of the `progress` query. */
export interface Progress {
  readonly workflow: WorkflowType;
  readonly state: StageState;
  /** Name of the stage (or stages) running now. */
  readonly stage: string;
  readonly rows: { readonly done: number; readonly total: number | null };
  readonly costUsd: number;
  /** Training step, when there is one. */
  readonly step: number | null;
  readonly stages: readonly StageProgress[];
}

/** Signal `progress`: an activity to its workflow, or a child to its parent. At most one a few seconds. */
export interface ProgressSignal {
  readonly stage: string;
  readonly progress: Partial<Omit<StageProgress, 'name' | 'training'>> & {
    /** What a host tells is merged into what is known. */
    readonly training?: Partial<TrainingFigures>;
  };
}

/** Answer of the `control` query, polled by long activities: commands come down without history. */
export interface Control {
  /** Raised by the update `checkpointNow`: the trainer saves when it sees a higher number. */
  readonly checkpointRequests: number;
  /** "pause": save, free the GPU, hand over. "stop": the same, then export the best checkpoint. */
  readonly wanted: 'train' | 'pause' | 'stop';
}

/** Answer of the updates of a training. */
export interface TrainingState {
  readonly state: 'training' | 'waiting' | 'paused' | 'stopping';
  readonly step: number;
  readonly lastCheckpoint: number | null;
}

/** Input of the update `resume`: limits that are raised, when one of them paused the run. */
export const resumeSchema = z
  .strictObject({
    maxGpuHours: z.number().positive().max(1_000_000).optional(),
    maxWallHours: z.number().positive().max(100_000).optional(),
  })
  .default({});
