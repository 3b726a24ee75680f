/** The activities by queue, with the patience each kind of work deserves, and the window that shards run in. */
import {
  ActivityCancellationType,
  CancellationScope,
  proxyActivities,
  sleep,
  type ActivityInterfaceFor,
} from '@temporalio/workflow';
import type {
  Busy,
  ControlActivities,
  DataActivities,
  EndpointCheck,
  GpuActivities,
  SandboxActivities,
  Reuse,
  ShardResult,
} from '../contract/activities.ts';
import type { Board } from './board.ts';
import type { Dataset, DistillSettings, FilterSettings } from '../contract/recipe.ts';
import { gpuQueue, queues } from '../contract/workflows.ts';
import { emptyUsage, addUsage } from '../contract/usage.ts';

/** A worker that vanishes is noticed within this time; heartbeats are sent every 2 s. */
const HEARTBEAT_TIMEOUT = '15s';
const common = {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
} as const;
/** Passing faults are tried again for about a quarter of an hour; a preemption uses up an attempt as well. */
const patientRetry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '60s',
  maximumAttempts: 20,
} as const;
/** At the boundary a wrong address must be told soon, not waited for. */
const checkRetry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '5s',
  maximumAttempts: 4,
} as const;

export const control = proxyActivities<ControlActivities>({
  ...common,
  taskQueue: queues.control,
  startToCloseTimeout: '30m',
  retry: patientRetry,
});

/** What a run of days cannot do without is asked for a day, whatever is gone meanwhile. */
export const patientControl = proxyActivities<Pick<ControlActivities, 'readTraining'>>({
  ...common,
  taskQueue: queues.control,
  startToCloseTimeout: '5m',
  retry: { ...patientRetry, maximumAttempts: 1440 },
});

export const data = proxyActivities<DataActivities>({
  ...common,
  taskQueue: queues.data,
  startToCloseTimeout: '7d',
  retry: patientRetry,
});

export interface GpuPatience {
  /** Passing faults are tried again by the server; else each end is the workflow's to judge. */
  readonly patient: boolean;
  /** How long a GPU may be waited for; for ever where it is not given. */
  readonly waitMs?: number;
}

/** The GPU workers of one class. */
export function gpuOn(
  gpuClass: string | undefined,
  { patient, waitMs }: GpuPatience,
): ActivityInterfaceFor<Pick<GpuActivities, 'openTraining' | 'trainModel' | 'generateSamples'>> {
  return proxyActivities({
    ...common,
    taskQueue: gpuQueue(gpuClass),
    ...(waitMs === undefined ? {} : { scheduleToStartTimeout: waitMs }),
    startToCloseTimeout: '60d',
    retry: patient ? patientRetry : { maximumAttempts: 1 },
  });
}

export const sandbox = proxyActivities<SandboxActivities>({
  ...common,
  taskQueue: queues.sandbox,
  startToCloseTimeout: '1d',
  retry: patientRetry,
});

const checking = { ...common, startToCloseTimeout: '2m', retry: checkRetry } as const;
export const checks = {
  data: proxyActivities<Pick<DataActivities, 'checkEndpoints' | 'checkDataset' | 'checkOracles'>>({
    ...checking,
    taskQueue: queues.data,
  }),
  gpu: (gpuClass: string | undefined) =>
    proxyActivities<Pick<GpuActivities, 'checkModel'>>({ ...checking, taskQueue: gpuQueue(gpuClass) }),
  // The first look at a checkout precompiles its headers and fills a cache of Go: minutes.
  sandbox: proxyActivities<Pick<SandboxActivities, 'prepareBenchmark'>>({
    ...checking,
    startToCloseTimeout: '1h',
    taskQueue: queues.sandbox,
  }),
  // An unfit store is told at once; one that does not answer may be about to.
  control: proxyActivities<Pick<ControlActivities, 'describeEnvironment'>>({
    ...checking,
    retry: patientRetry,
    taskQueue: queues.control,
  }),
};

/** Scheduled, started, completed, and the three of the workflow task that decides on. */
export const EVENTS_PER_ACTIVITY = 6;

const FIRST_LOOK_MS = 3000;
const LAST_LOOK_MS = 60_000;

/** While another run makes the same, this workflow waits and no worker's slot does. `doing`: "reads the same dataset". */
export async function untilFree<Result extends object>(
  board: Board,
  stage: string,
  doing: string,
  attempt: () => Promise<Result | Busy>,
): Promise<Result> {
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(LAST_LOOK_MS, waitMs * 2)) {
    const result = await attempt();
    if (!isBusy(result)) return result;
    board.update(stage, { note: `waits for ${result.heldBy}, which ${doing}` });
    await sleep(waitMs);
  }
}

function isBusy(result: object): result is Busy {
  return 'status' in result && result.status === 'busy';
}

/** The dataset's artefact. */
export async function importRows(
  board: Board,
  stage: string,
  dataset: Dataset,
  reuse: Reuse,
): Promise<string> {
  const imported = await untilFree(
    board,
    stage,
    'reads the same dataset',
    async () =>
      await data.importDataset.executeWithOptions({ summary: `read ${dataset.name ?? dataset.uri}` }, [
        { dataset, reuse },
      ]),
  );
  return imported.artifact.uri;
}

/** The endpoints that filter and distil will ask, each with its path in the input. */
export function endpointsOf({
  filter,
  distill,
}: {
  readonly filter?: FilterSettings;
  readonly distill?: DistillSettings;
}): EndpointCheck[] {
  const judge = distill?.oracles.judge;
  return [
    ...(filter?.mode === 'classifier' ? [{ field: 'filter.classifier', endpoint: filter.classifier }] : []),
    ...(distill === undefined ? [] : [{ field: 'distill.teacher', endpoint: distill.teacher }]),
    ...(judge === undefined ? [] : [{ field: 'distill.oracles.judge.model', endpoint: judge.model }]),
  ];
}

export interface ShardTotals {
  readonly rows: number;
  readonly bad: number;
  readonly usage: ShardResult['usage'];
}

export interface ShardRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Shards worked on at the same time. */
  readonly parallel: number;
  /** True when no further shard should begin in this run of the workflow; those begun are brought to their end. */
  readonly isFull?: () => boolean;
}

export interface ShardsDone {
  readonly totals: ShardTotals;
  /** The first shard that was not begun. */
  readonly next: number;
}

/**
 * Runs the shards of a range through a sliding window, in order of their start. The first failure cancels the rest
 * and is thrown. `before` is what earlier ranges came to.
 */
export async function runShards(
  { from, to, parallel, isFull = () => false }: ShardRange,
  runShard: (index: number) => Promise<ShardResult>,
  onDone: (totals: ShardTotals) => void,
  before: ShardTotals = noTotals,
): Promise<ShardsDone> {
  let totals = before;
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to && !isFull()) {
      const index = next;
      next += 1;
      const { rows, bad, usage } = await runShard(index);
      totals = { rows: totals.rows + rows, bad: totals.bad + bad, usage: addUsage(totals.usage, usage) };
      onDone(totals);
    }
  };
  await CancellationScope.cancellable(async () => {
    const lanes = Array.from({ length: Math.min(parallel, to - from) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(lanes);
      throw error;
    }
  });
  return { totals, next };
}

const noTotals: ShardTotals = { rows: 0, bad: 0, usage: emptyUsage };
