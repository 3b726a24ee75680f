/** What one attempt at a training is asked for, what its host gives it, and how it can end. */
import type { Manifest } from '../../contract/manifest.ts';
import type { FinetuneSettings } from '../../contract/recipe.ts';
import type { Control, TrainingFigures } from '../../contract/workflows.ts';
import type { GpuDevice } from '../gpu/types.ts';
import type { CheckpointEntry, Store } from '../store/index.ts';
import type { LocalModel } from './models.ts';
import type { FinishedEvent, StartedEvent } from './trainerProtocol.ts';
import type { TrainingFiles } from './trainingData.ts';

/** Raised by hand when the same inputs train another model. */
export const TRAIN_CODE_VERSION = 2;

export interface TrainingRequest {
  readonly fingerprint: string;
  /** Of the training's head, as this attempt claimed it: later attempts have higher ones. */
  readonly epoch: number;
  readonly settings: FinetuneSettings;
  /** The head's when this attempt claimed it, oldest first; nobody else adds to them. */
  readonly checkpoints: readonly CheckpointEntry[];
  readonly traces: Manifest;
  readonly model: LocalModel;
  /** As the settings say, or smaller after memory ran out. */
  readonly microBatchRows: number;
  /** Divergences rolled back so far: the learning rate is smaller by so many factors. */
  readonly rollbacks: number;
}

export interface TrainingHost {
  readonly store: Store;
  readonly pythonPath: string;
  readonly pythonEnv: Readonly<Record<string, string>>;
  /** Holds one home a training; the same for all attempts on this host. */
  readonly trainingsDir: string;
  /** A local JSON Lines file of guard rows, or null. */
  guardRows(): Promise<string | null>;
  /** Aborted when the attempt must end; `whyAborted` then tells what becomes of the trainer. */
  readonly signal: AbortSignal;
  /**
   * `cancelled`: it is ended. `notice`: the machine goes, so save and hand over. `lost`: the attempt no longer counts
   * (a timeout, a lost workflow), but the next one on this host can adopt the trainer: it trains on.
   */
  whyAborted(): 'cancelled' | 'notice' | 'lost';
  /** With `notice`: what is left until the machine goes. */
  graceMs(): number;
  readonly gpu: Pick<GpuDevice, 'index' | 'uuid'> | null;
  /** The latest answer of the control query. */
  control(): Control;
  /** Told of every step; `note` is a few words for people. */
  onFigures(figures: Partial<TrainingFigures>, note: string): void;
  onNote(note: string): void;
  /** Before the trainer starts (or is adopted), and again with its timings when its first step is seen. */
  onResume(attempt: AttemptFigures): Promise<void>;
}

export interface DamagedCheckpoint {
  readonly step: number;
  /** What is missing or changed. */
  readonly problem: string;
}

export interface AttemptFigures {
  /** 0 for the beginning; of an adopted trainer the step it had reached. */
  readonly resumedFromStep: number;
  readonly adopted: boolean;
  /** Newer checkpoints that the store lists and that did not read back: they were passed over. */
  readonly damaged: readonly DamagedCheckpoint[];
  /** Milliseconds of the clock, as in `Date.now()`. */
  readonly attemptStartedMs: number;
  /** Training files written and the checkpoint downloaded; null when adopted. */
  readonly dataSeconds: number | null;
  readonly spawnedMs: number | null;
  /** Told by the trainer: its libraries, then data and model. Null until known, and when adopted. */
  readonly importSeconds: number | null;
  readonly loadSeconds: number | null;
  readonly firstStepMs: number | null;
}

export interface TrainingOutcome {
  readonly started: StartedEvent;
  readonly finished: FinishedEvent;
  readonly files: TrainingFiles;
  readonly resumedFromStep: number;
  /** Set when the run was stopped early: the step whose weights these are. */
  readonly stoppedEarlyAtStep: number | null;
  /** Removes the local home with the exported folders; to be called after publication, or when it failed. */
  release(): Promise<void>;
}

export type TrainingEnd =
  | { readonly status: 'trained'; readonly outcome: TrainingOutcome }
  /** The newest checkpoint that is safe in the store; 0 when there is none. */
  | { readonly status: 'paused'; readonly step: number };

/** What the supervision measures of the machine. Injected, since no test can run a machine out of memory. */
export interface MachineProbes {
  /** How often the kernel ended a process for lack of memory, since some fixed moment. */
  oomKills(): Promise<number>;
  /** Percent of the last moments that a GPU computed; null when it cannot be asked. */
  gpuUtilisation(index: number): Promise<number | null>;
}
