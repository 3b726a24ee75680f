/**
 * The entry of every worker: `node src/workers/main.ts [control|data|gpu|sandbox …]`, all four by default.
 * A queue is a kind of machine; each kind polls its own queue with the activities of that kind. Prints
 * `{"event":"ready"}` when it polls; SIGINT and SIGTERM hand over what is running and end it.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { heldTasksDir, tranchesDir, type Deps } from '../activities/deps.ts';
import { createControlActivities } from '../activities/control.ts';
import { createDataActivities } from '../activities/data.ts';
import { createAskPools, type AskPools } from '../activities/endpoints.ts';
import { handBackTasks } from '../activities/heldTasks.ts';
import { temporalBank } from '../activities/bank.ts';
import { recoverTranches } from '../services/budget/recoverTranches.ts';
import { createGpuActivities } from '../activities/gpu.ts';
import { createSandboxActivities } from '../activities/sandbox.ts';
import { messageOf, SecpiError } from '../contract/errors.ts';
import { redact } from '../contract/secrets.ts';
import { queues, type WorkerKind } from '../contract/workflows.ts';
import { openStore } from '../services/store/index.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import { bundleWorkflows } from './bundle.ts';

/** Heartbeats carry the time of the last progress; sent this often they cost little and are seldom stale. */
const HEARTBEAT_THROTTLE = '2s';
/** Shards at a time: enough that one's last rows do not leave the endpoint idle. */
const DATA_TASKS = 8;
/** After a notice to leave: a training step and a save fit in. */
const SHUTDOWN_FORCE_TIME = '90s';

async function main(): Promise<void> {
  const kinds = parseKinds(process.argv.slice(2));
  const config = readWorkerConfig(process.env);
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => log(level, message, meta)),
  });
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  try {
    const deps: Deps = {
      store: openStore(config.store),
      paths: config.paths,
      environment: process.env,
    };
    const pools = createAskPools((error) =>
      log('WARN', 'answers wait on this disk for the store', { error: messageOf(error) }),
    );
    const workers = await Promise.all(
      kinds.map(
        async (kind) =>
          await Worker.create({ connection, namespace, ...(await optionsOf(kind, deps, pools, config)) }),
      ),
    );
    await settleDeadProcesses(deps, new Client({ connection, namespace }));
    const running = workers.map(async (worker) => await worker.run());
    process.stdout.write(`${JSON.stringify({ event: 'ready', kinds, pid: process.pid })}\n`);
    await Promise.all(running);
    await pools.close();
  } finally {
    await connection.close();
  }
}

/** What processes of this host left when they were killed: tasks that Temporal still counts as running, open tranches. */
async function settleDeadProcesses({ paths }: Deps, client: Client): Promise<void> {
  const tasks = await handBackTasks(heldTasksDir(paths), client);
  if (tasks > 0) log('INFO', `handed back ${tasks} tasks of a worker that died here`);
  await recoverTranches({
    dir: tranchesDir(paths),
    bankOf: (holder) => temporalBank(client, holder),
    onTrouble: (error) => log('WARN', 'a tranche stays charged for now', { error: messageOf(error) }),
  });
}

function parseKinds(args: readonly string[]): WorkerKind[] {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const known = Object.keys(queues);
  const unknown = positionals.find((kind) => !known.includes(kind));
  if (unknown !== undefined) {
    throw new SecpiError('RECIPE_INVALID', `"${unknown}" is not a kind of worker.`, {
      field: 'kinds',
      remedy: `Name some of ${known.join(', ')}, or none for all.`,
    });
  }
  return (positionals.length === 0 ? known : positionals) as WorkerKind[];
}

async function optionsOf(
  kind: WorkerKind,
  deps: Deps,
  pools: AskPools,
  { taskSlots }: WorkerConfig,
): Promise<WorkerOptions> {
  const common = {
    taskQueue: queues[kind],
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownForceTime: SHUTDOWN_FORCE_TIME,
  } as const;
  switch (kind) {
    case 'control':
      return {
        ...common,
        workflowBundle: await bundleWorkflows(),
        activities: createControlActivities(deps),
      };
    case 'data':
      return {
        ...common,
        activities: createDataActivities(deps, pools),
        maxConcurrentActivityTaskExecutions: taskSlots ?? DATA_TASKS,
      };
    case 'gpu':
      // One training or generation at a time: a GPU, or a CPU standing in for it, is not shared.
      return { ...common, activities: createGpuActivities(deps), maxConcurrentActivityTaskExecutions: 1 };
    case 'sandbox':
      return {
        ...common,
        activities: createSandboxActivities(deps),
        maxConcurrentActivityTaskExecutions: taskSlots ?? availableParallelism(),
      };
  }
}

function log(level: string, message: string, meta?: Record<string | symbol, unknown>): void {
  const text =
    meta === undefined
      ? ''
      : ` ${JSON.stringify(meta, (_, value: unknown) => (value instanceof Error ? (value.stack ?? value.message) : value))}`;
  process.stderr.write(`${redact(`${new Date().toISOString()} ${level} ${message}${text}`)}\n`);
}

try {
  await main();
} catch (error) {
  log(
    'ERROR',
    error instanceof SecpiError
      ? error.message
      : redact(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  process.exitCode = 1;
}
