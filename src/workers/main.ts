/**
 * The entry of every worker: `node src/workers/main.ts [control|data|gpu|sandbox …]`, all four by default.
 * A queue is a kind of machine; each kind polls its own queue with the activities of that kind. Prints
 * `{"event":"ready"}` when it polls; SIGINT and SIGTERM hand over what is running and end it. A kind that fails takes
 * the others along, and the process ends with exit code 1.
 */
import { availableParallelism } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { heldTasksDir, tranchesDir, type Deps } from '../activities/deps.ts';
import { createAskPools, type AskPools } from '../activities/askPools.ts';
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
/** After a failure the process is gone by then, whatever still holds it: the force time and the closing fit in. */
const END_AFTER_FAILURE_MS = 100_000;

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
    const options = await Promise.all(kinds.map(async (kind) => await optionsOf(kind, deps, pools, config)));
    const client = new Client({ connection, namespace });
    const tasks = await handBackTasks(heldTasksDir(config.paths), client, {
      namespace,
      onTrouble: (error) => log('WARN', 'a task of a dead worker waits for its timeout', { error }),
    });
    if (tasks > 0) log('INFO', `handed back ${tasks} tasks of a worker that died here`);
    await settleTranches(deps, client);
    // Late: a connection with workers that never ran cannot be closed.
    const workers = await Promise.all(
      options.map(async (its) => await Worker.create({ connection, namespace, ...its })),
    );
    // A worker may die beside one that lives.
    const settling = setInterval(() => void settleTranches(deps, client), SETTLE_EVERY_MS);
    settling.unref();
    try {
      const ended = runTogether(workers);
      process.stdout.write(`${JSON.stringify({ event: 'ready', kinds, pid: process.pid })}\n`);
      await ended;
    } finally {
      clearInterval(settling);
      await close('the pools', pools);
    }
  } finally {
    await close('the connection to Temporal', connection);
  }
}

/** Until all have ended. When one fails the others hand over; throws the first failure, once all have ended. */
async function runTogether(workers: readonly Worker[]): Promise<void> {
  const failures: unknown[] = [];
  const fail = (error: unknown, taskQueue: string): void => {
    failures.push(error);
    log('ERROR', `the worker of ${taskQueue} failed; this process ends`, { error });
    if (failures.length > 1) return;
    setTimeout(() => {
      log('ERROR', 'what still ran after the failure is cut off');
      process.exit(1);
    }, END_AFTER_FAILURE_MS);
    for (const other of workers) {
      if (other.getState() === 'RUNNING') other.shutdown();
    }
  };
  await Promise.all(
    workers.map(
      async (worker) => await worker.run().catch((error: unknown) => fail(error, worker.options.taskQueue)),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

/** What goes wrong here is told, and hides nothing that went wrong before. */
async function close(name: string, thing: { close(): Promise<void> }): Promise<void> {
  try {
    await thing.close();
  } catch (error) {
    log('WARN', `${name} did not close`, { error });
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
      : ` ${JSON.stringify(meta, (_, value: unknown) => (value instanceof Error ? inspect(value) : value))}`;
  process.stderr.write(`${redact(`${new Date().toISOString()} ${level} ${message}${text}`)}\n`);
}

try {
  await main();
} catch (error) {
  // What tells its remedy needs no stack; of anything else all that is known, causes too.
  const isPlain = error instanceof SecpiError && error.cause === undefined;
  log('ERROR', isPlain ? error.message : inspect(error));
  // Nothing polls any more; a worker that was made and never ran would keep the process.
  process.exit(1);
}
