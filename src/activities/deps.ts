/** What the activities of a worker share. Made once at the worker's entry, where configuration enters. */
import { join } from 'node:path';
import type { GpuHost } from '../services/gpu/types.ts';
import type { Store } from '../services/store/index.ts';
import type { ModelOptions } from '../services/train/models.ts';

export interface WorkerPaths {
  /** Relative paths of recipes (datasets, models) start here. */
  readonly baseDir: string;
  /** Models and other things that can be made again. */
  readonly cacheDir: string;
  /** Journals, logs and scratch space; outlives the process. */
  readonly stateDir: string;
  /** The Python that has the trainer's packages. */
  readonly pythonPath: string;
  /** `trainer/src` */
  readonly trainerSourceDir: string;
  /** `suite/` */
  readonly suiteDir: string;
}

export interface Deps {
  readonly store: Store;
  readonly paths: WorkerPaths;
  /** The worker's environment: keys and base URLs are looked up by the names that recipes give. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A GPU worker's: devices besides. */
export interface GpuDeps extends Deps {
  readonly gpu: GpuHost;
}

/** Where a process writes down the tasks it holds (heldTasks.ts). */
export function heldTasksDir({ stateDir }: WorkerPaths): string {
  return join(stateDir, 'tasks');
}

/** Journals of paid answers. */
export function answersDir({ stateDir }: WorkerPaths): string {
  return join(stateDir, 'answers');
}

/** Homes of trainings: a trainer outlives its worker there. */
export function trainingsDir({ stateDir }: WorkerPaths): string {
  return join(stateDir, 'trainings');
}

/** Tranches of budgets that this host spends. */
export function tranchesDir({ stateDir }: WorkerPaths): string {
  return join(stateDir, 'tranches');
}

export function modelOptions({ store, paths }: Deps): ModelOptions {
  return { store, cacheDir: paths.cacheDir, baseDir: paths.baseDir, pythonPath: paths.pythonPath };
}
