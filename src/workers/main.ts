/**
 * The entry of every worker: `node src/workers/main.ts [control|data|gpu|sandbox …]`, all four by default, and
 * `--class NAME --slots N --idle-exit MINUTES` for a GPU worker.
 * A queue is a kind of machine; each kind polls its own queue with the activities of that kind. Prints
 * `{"event":"ready"}` when it polls; SIGINT, SIGTERM and a cloud's notice hand over what is running and end it. A kind
 * that fails takes the others along, and the process ends with exit code 1.
 */
import { availableParallelism } from 'node:os';
import { inspect } from 'node:util';
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { heldTasksDir, tranchesDir, type Deps } from '../activities/deps.ts';
import { createAskPools, type AskPools } from '../activities/askPools.ts';
import { handBackTasks } from '../activities/heldTasks.ts';
import { temporalBank } from '../activities/bank.ts';
import { recoverTranches } from '../services/budget/recoverTranches.ts';
import { messageOf, SecpiError } from '../contract/errors.ts';
import { queues, type WorkerKind } from '../contract/workflows.ts';
import { openStore } from '../services/store/index.ts';
import { parseWorkerArguments, type WorkerArguments } from './arguments.ts';
import { bundleWorkflows } from './bundle.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import type { SandboxPart } from '../activities/sandbox.ts';
import type { GpuPart } from './gpu.ts';
import { log, say } from './log.ts';
import { runTogether } from './runTogether.ts';

/** Heartbeats carry the time of the last progress; sent this often they cost little and are seldom stale. */
const HEARTBEAT_THROTTLE = '2s';
/** Shards at a time: enough that one's last rows do not leave the endpoint idle. */
const DATA_TASKS = 8;
const SETTLE_EVERY_MS = 60_000;
/** After a notice to leave: the longest notice of a cloud (two minutes), and a moment for the end itself. */
const SHUTDOWN_FORCE_MS = 130_000;
/** Closing the connections and the pools. */
const CLOSING_MS = 10_000;

async function main(): Promise<void> {
  const args = parseWorkerArguments(process.argv.slice(2));
  const { kinds } = args;
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
    const client = new Client({ connection, namespace });
    // What a killed worker held goes back at once: nobody works on it while this one looks at its machine.
    const [gpu, sandbox] = await Promise.all([
      kinds.includes('gpu') ? gpuPart(deps, config, args) : null,
      kinds.includes('sandbox') ? sandboxPart(deps) : null,
      handBack(deps, client, namespace),
    ]);
    const forceMs = Math.max(SHUTDOWN_FORCE_MS, config.gpu.gracePeriodMs);
    const needs: Needs = { deps, pools, config, gpu, sandbox, forceMs };
    const options = await Promise.all(kinds.map(async (kind) => await optionsOf(kind, needs)));
    await settleTranches(deps, client);
    // Late: a connection with workers that never ran cannot be closed.
    const workers = await Promise.all(
      options.map(async (its) => await Worker.create({ connection, namespace, ...its })),
    );
    // A worker may die beside one that lives.
    const settling = setInterval(() => void settleTranches(deps, client), SETTLE_EVERY_MS);
    settling.unref();
    try {
      const { ended, leave } = runTogether(workers, forceMs + CLOSING_MS);
      say('ready', { kinds, pid: process.pid });
      gpu?.start(client, leave);
      await ended;
    } finally {
      clearInterval(settling);
      await gpu?.stop();
      if (sandbox !== null) await close('the sandbox', sandbox);
      await close('the pools', pools);
    }
  } finally {
    await close('the connection to Temporal', connection);
  }
}

/** What goes wrong here is told, and hides nothing that went wrong before. */
async function close(name: string, thing: { close(): Promise<void> }): Promise<void> {
  try {
    await thing.close();
  } catch (error) {
    log('WARN', `${name} did not close`, { error });
  }
}

async function gpuPart(deps: Deps, config: WorkerConfig, args: WorkerArguments): Promise<GpuPart> {
  const { prepareGpu } = await import('./gpu.ts');
  return await prepareGpu(deps, config, args);
}

async function sandboxPart(deps: Deps): Promise<SandboxPart> {
  const { createSandboxPart } = await import('../activities/sandbox.ts');
  return createSandboxPart(deps);
}

async function handBack({ paths }: Deps, client: Client, namespace: string): Promise<void> {
  const tasks = await handBackTasks(heldTasksDir(paths), client, {
    namespace,
    onTrouble: (error) => log('WARN', 'a task of a dead worker waits for its timeout', { error }),
  });
  if (tasks > 0) log('INFO', `handed back ${tasks} tasks of a worker that died here`);
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

interface Needs {
  readonly deps: Deps;
  readonly pools: AskPools;
  readonly config: WorkerConfig;
  /** Null where no GPU worker was asked for. */
  readonly gpu: GpuPart | null;
  /** Null where no sandbox worker was asked for. */
  readonly sandbox: SandboxPart | null;
  readonly forceMs: number;
}

/** What a kind needs is loaded for it alone: a worker that only asks models carries no report and no compiler. */
async function optionsOf(
  kind: WorkerKind,
  { deps, pools, config: { taskSlots }, gpu, sandbox, forceMs }: Needs,
): Promise<WorkerOptions> {
  const common = {
    taskQueue: queues[kind],
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownForceTime: forceMs,
  } as const;
  switch (kind) {
    case 'control': {
      const { createControlActivities } = await import('../activities/control.ts');
      return {
        ...common,
        workflowBundle: await bundleWorkflows(deps.paths.cacheDir),
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
      if (gpu === null) throw new Error('the GPU part was not prepared');
      const { createGpuActivities } = await import('../activities/gpu.ts');
      return {
        ...common,
        taskQueue: gpu.taskQueue,
        activities: createGpuActivities({ ...deps, gpu: gpu.host }),
        // A task without a device would wait here, while another worker may have one.
        maxConcurrentActivityTaskExecutions: gpu.host.slots.count,
        interceptors: { activity: [gpu.activity.interceptor] },
      };
    }
    case 'sandbox': {
      if (sandbox === null) throw new Error('the sandbox part was not prepared');
      return {
        ...common,
        activities: sandbox.activities,
        maxConcurrentActivityTaskExecutions: taskSlots ?? availableParallelism(),
      };
    }
  }
}

try {
  await main();
  // A request to a store that is gone would hold the process for minutes.
  setTimeout(() => process.exit(0), CLOSING_MS).unref();
} catch (error) {
  // What tells its remedy needs no stack; of anything else all that is known, causes too.
  const isPlain = error instanceof SecpiError && error.cause === undefined;
  log('ERROR', isPlain ? error.message : inspect(error));
  // Nothing polls any more; a worker that was made and never ran would keep the process.
  process.exit(1);
}
