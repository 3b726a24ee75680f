/**
 * What makes a process a GPU worker: it looks at its machine, gives out its devices, looks out for the machine's end,
 * ends trainers that are over, and leaves when nobody needs it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { trainingsDir, type Deps } from '../activities/deps.ts';
import { messageOf } from '../contract/errors.ts';
import { gpuQueue } from '../contract/workflows.ts';
import { examineHost, type Examination, type ExamineOptions } from '../services/gpu/examine.ts';
import { livingTrainers } from '../services/gpu/hostTrainers.ts';
import { watchPreemption } from '../services/gpu/preemption/watch.ts';
import { describeHost, eventOf, requireFit } from '../services/gpu/report.ts';
import { createSlots } from '../services/gpu/slots.ts';
import type { GpuDevice, GpuHost } from '../services/gpu/types.ts';
import { pythonEnv } from '../services/train/pythonEnv.ts';
import { watchUnattended } from '../services/train/watchUnattended.ts';
import type { WorkerArguments } from './arguments.ts';
import type { WorkerConfig } from './config.ts';
import { countActivities, watchIdle, type Activity } from './idle.ts';
import { createLeaving, type Leaving } from './leaving.ts';
import { log, say } from './log.ts';
import { isTrainingOver } from './unattended.ts';

/** A look at trainers that waits for a store that is gone is not waited for. */
const STOP_MS = 5000;

export interface GpuPart {
  readonly host: GpuHost;
  readonly taskQueue: string;
  readonly activity: Activity;
  /** Begins to look out. `leave` hands over what runs and ends the process; it may be called more than once. */
  start(client: Client, leave: () => void): void;
  stop(): Promise<void>;
}

/** Among other kinds, a machine that is unfit still serves them; a GPU worker alone refuses to start: GPU_UNFIT. */
export async function prepareGpu(deps: Deps, config: WorkerConfig, args: WorkerArguments): Promise<GpuPart> {
  const alone = args.kinds.length === 1;
  const examination = await examineHost({
    ...examineOptions(config, deps.environment),
    objects: deps.store.objects,
    thorough: false,
  });
  const devices = devicesOf(examination, args.slots);
  const taskQueue = gpuQueue(args.gpuClass);
  tell(examination, { alone, slots: devices.length, taskQueue });
  if (alone) requireFit(examination);
  const dir = trainingsDir(deps.paths);
  const leaving = createLeaving(config.gpu.gracePeriodMs);
  const activity = countActivities();
  const stops: (() => Promise<void> | void)[] = [];
  return {
    host: {
      slots: createSlots({
        devices,
        heldByTrainers: async () => (await livingTrainers(dir)).flatMap(({ gpu }) => gpu ?? []),
      }),
      notice: leaving.notice,
      graceMs: leaving.graceMs,
    },
    taskQueue,
    activity,
    start: (client, leave) => {
      stops.push(watchSignals(leaving), watchNotices(config, leaving, leave));
      const unattended = watchUnattended({
        trainingsDir: dir,
        isOver: async (fingerprint, epoch) =>
          await isTrainingOver(deps.store, client, { fingerprint, epoch }),
        log: (message) => log('INFO', message),
      });
      stops.push(async () => await unattended.stop());
      if (args.idleExitMinutes !== undefined)
        stops.push(leaveWhenIdle(args.idleExitMinutes, { activity, dir, leave }));
    },
    stop: async () => {
      const stopped = Promise.all(stops.map(async (stop) => await stop()));
      await Promise.race([stopped, delay(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** How the GPU worker and `secpi doctor gpu` look at their machine. */
export function examineOptions(
  { paths, gpu }: Pick<WorkerConfig, 'paths' | 'gpu'>,
  environment: Deps['environment'],
): Omit<ExamineOptions, 'objects' | 'thorough'> {
  return {
    python: { path: paths.pythonPath, env: pythonEnv(paths.trainerSourceDir, environment) },
    stateDir: paths.stateDir,
    path: environment['PATH'] ?? '/usr/bin:/bin',
    visibleDevices: environment['CUDA_VISIBLE_DEVICES'],
    minFreeDiskBytes: gpu.minFreeDiskBytes,
  };
}

/** A GPU is never shared: fewer slots leave some to others. The CPU is, when asked for. */
function devicesOf({ gpus }: Examination, slots: number | undefined): (GpuDevice | null)[] {
  if (gpus.length === 0) return Array.from({ length: slots ?? 1 }, () => null);
  if (slots !== undefined && slots > gpus.length)
    log('WARN', `--slots ${slots}: there are ${gpus.length} GPUs, one slot each`);
  return gpus.slice(0, slots);
}

function tell(
  examination: Examination,
  {
    alone,
    slots,
    taskQueue,
  }: { readonly alone: boolean; readonly slots: number; readonly taskQueue: string },
): void {
  const brief = !alone && examination.gpus.length === 0 && examination.unfit.length === 0;
  const lines = describeHost(examination);
  for (const line of brief ? lines.slice(0, 1) : lines)
    log(line.startsWith('unfit') ? 'WARN' : 'INFO', `GPU worker: ${line}`);
  say('gpu', { queue: taskQueue, slots, ...eventOf(examination) });
}

/** The first signal starts the clock; Temporal's runtime listens too, and hands over. */
function watchSignals({ signalled }: Leaving): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const name of signals) process.once(name, signalled);
  return () => {
    for (const name of signals) process.off(name, signalled);
  };
}

function watchNotices({ gpu }: WorkerConfig, leaving: Leaving, leave: () => void): () => void {
  const watch = watchPreemption({
    ...gpu.preemption,
    graceMs: gpu.gracePeriodMs,
    log,
    onNotice: (notice) => {
      leaving.noticed(notice);
      const secondsLeft = Math.round(leaving.graceMs() / 1000);
      log(
        'WARN',
        `${notice.from} takes this machine away (${notice.reason}) in ${secondsLeft} s: handing over`,
      );
      say('preemption', { from: notice.from, reason: notice.reason, secondsLeft });
      leave();
    },
  });
  return () => watch.stop();
}

function leaveWhenIdle(
  minutes: number,
  { activity, dir, leave }: { readonly activity: Activity; readonly dir: string; readonly leave: () => void },
): () => void {
  const watch = watchIdle({
    activity,
    afterMs: minutes * 60_000,
    hasTrainer: async () => (await livingTrainers(dir)).length > 0,
    onIdle: () => {
      log('INFO', `no task for ${minutes} minutes: this worker ends`);
      say('idle', { minutes });
      leave();
    },
    onTrouble: (error) =>
      log('WARN', 'the trainers of this host could not be looked at', { error: messageOf(error) }),
  });
  return () => watch.stop();
}
