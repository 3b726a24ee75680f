/** The activities by queue, with the patience each kind of work deserves, and the window that shards run in. */
import { ActivityCancellationType, CancellationScope, proxyActivities } from '@temporalio/workflow';
import type {
  ControlActivities,
  DataActivities,
  GpuActivities,
  SandboxActivities,
  ShardResult,
} from '../contract/activities.ts';
import { queues } from '../contract/workflows.ts';
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

export const data = proxyActivities<DataActivities>({
  ...common,
  taskQueue: queues.data,
  startToCloseTimeout: '7d',
  retry: patientRetry,
});

/** Real errors of training are counted by the workflow, so an attempt is never repeated by the policy. */
export const gpu = proxyActivities<GpuActivities>({
  ...common,
  taskQueue: queues.gpu,
  startToCloseTimeout: '60d',
  retry: { maximumAttempts: 1 },
});

export const gpuPatient = proxyActivities<GpuActivities>({
  ...common,
  taskQueue: queues.gpu,
  startToCloseTimeout: '7d',
  retry: patientRetry,
});

export const sandbox = proxyActivities<SandboxActivities>({
  ...common,
  taskQueue: queues.sandbox,
  startToCloseTimeout: '1d',
  retry: patientRetry,
});

const checking = { ...common, startToCloseTimeout: '2m', retry: checkRetry } as const;
export const checks = {
  data: proxyActivities<Pick<DataActivities, 'checkEndpoints' | 'checkDataset'>>({
    ...checking,
    taskQueue: queues.data,
  }),
  gpu: proxyActivities<Pick<GpuActivities, 'checkModel'>>({ ...checking, taskQueue: queues.gpu }),
  sandbox: proxyActivities<Pick<SandboxActivities, 'checkBenchmarks'>>({
    ...checking,
    taskQueue: queues.sandbox,
  }),
  // An unfit store is told at once; one that does not answer may be about to.
  control: proxyActivities<Pick<ControlActivities, 'describeEnvironment'>>({
    ...checking,
    retry: patientRetry,
    taskQueue: queues.control,
  }),
};

export interface ShardTotals {
  readonly rows: number;
  readonly bad: number;
  readonly usage: ShardResult['usage'];
}

/** Runs shards 0..count-1, `parallel` at a time. The first failure cancels the rest and is thrown. */
export async function runShards(
  count: number,
  parallel: number,
  runShard: (index: number) => Promise<ShardResult>,
  onDone: (totals: ShardTotals) => void,
): Promise<ShardTotals> {
  let totals: ShardTotals = { rows: 0, bad: 0, usage: emptyUsage };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const { rows, bad, usage } = await runShard(index);
      totals = { rows: totals.rows + rows, bad: totals.bad + bad, usage: addUsage(totals.usage, usage) };
      onDone(totals);
    }
  };
  await CancellationScope.cancellable(async () => {
    const lanes = Array.from({ length: Math.min(parallel, count) }, lane);
    try {
      await Promise.all(lanes);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(lanes);
      throw error;
    }
  });
  return totals;
}
