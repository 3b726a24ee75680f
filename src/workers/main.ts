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
import { createAskPools, type AskPools } from '../activities/endpoints.ts';
import { handBackTasks } from '../activities/heldTasks.ts';
import { temporalBank } from '../activities/bank.ts';
import { recoverTranches } from '../services/budget/recoverTranches.ts';
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
const SETTLE_EVERY_MS = 60_000;
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
    const client = new Client({ connection, namespace });
    const tasks = await handBackTasks(heldTasksDir(config.paths), client);
    if (tasks > 0) log('INFO', `handed back ${tasks} tasks of a worker that died here`);
    await settleTranches(deps, client);
    // A worker may die beside one that lives.
    const settling = setInterval(() => void settleTranches(deps, client), SETTLE_EVERY_MS);
    const running = workers.map(async (worker) => await worker.run());
    process.stdout.write(`${JSON.stringify({ event: 'ready', kinds, pid: process.pid })}\n`);
    await Promise.all(running);
    clearInterval(settling);
    await pools.close();
  } finally {
    await connection.close();
  }
}

/** Money that processes of this host held when they were killed goes back to its run, or is charged. */
async function settleTranches({ paths }: Deps, client: Client): Promise<void> {
  const onTrouble = (error: unknown): void =>
    log('WARN', 'a tranche stays charged for now', { error: messageOf(error) });
  try {
    await recoverTranches({
      dir: tranchesDir(paths),
      bankOf: (holder) => temporalBank(client, holder),
      onTrouble,
    });
  } catch (error) {
    onTrouble(error);
  }
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

/** What a kind needs is loaded for it alone: a worker that only asks models carries no report and no compiler. */
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
    case 'control': {
      const { createControlActivities } = await import('../activities/control.ts');
      return {
        ...common,
        workflowBundle: await bundleWorkflows(),
        activities: createControlActivities(deps),
      };
    }
    case 'data': {
      const { createDataActivities } = await import('../activities/data.ts');
      return {
        ...common,
        activities: createDataActivities(deps, pools),
        maxConcurrentActivityTaskExecutions: taskSlots ?? DATA_TASKS,
      };
    }
    case 'gpu': {
      const { createGpuActivities } = await import('../activities/gpu.ts');
      // One training or generation at a time: a GPU, or a CPU standing in for it, is not shared.
      return { ...common, activities: createGpuActivities(deps), maxConcurrentActivityTaskExecutions: 1 };
    }
    case 'sandbox': {
      const { createSandboxActivities } = await import('../activities/sandbox.ts');
      return {
        ...common,
        activities: createSandboxActivities(deps),
        maxConcurrentActivityTaskExecutions: taskSlots ?? availableParallelism(),
      };
    }
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
