/**
 * A GPU worker as a host of its own: its state folder is its disk, its tap its way to S3, its class its queue.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startS3Tap, type S3Tap } from './s3Tap.ts';
import { findProcesses, isAlive, until, type TestStack, type WorkerProcess } from './stack.ts';
import { watchTrainEvents, type TrainEvents } from './trainEvents.ts';

export interface TrainHost {
  readonly name: string;
  readonly stateDir: string;
  readonly worker: WorkerProcess;
  readonly tap: S3Tap;
  readonly events: TrainEvents;
  /** The last step that was trained here, 0 before the first. */
  lastStep(): number;
  /** Pids of the trainers that live here. */
  trainers(): Promise<number[]>;
  /** The one trainer that lives here, once there is one. */
  trainer(): Promise<number>;
  /**
   * The host vanishes: SIGKILL to its worker and its trainer in one tick, found before. What they had open with S3 is
   * cut with them. Resolves when they are gone.
   */
  lose(): Promise<void>;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly name: string;
  /** The queue that it polls; without a class the common one. */
  readonly gpuClass?: string | undefined;
  /** The disk of a host that was there before; default: a new one. */
  readonly stateDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startHost(
  stack: TestStack,
  { name, gpuClass, stateDir = join(stack.dir, 'hosts', name), env = {} }: HostOptions,
): Promise<TrainHost> {
  await mkdir(stateDir, { recursive: true });
  const tap = await startS3Tap(stack.s3.port);
  const worker = await stack.startWorker(
    ['gpu'],
    { SECPI_STATE: stateDir, AWS_ENDPOINT_URL_S3: tap.endpoint, ...env },
    gpuClass === undefined ? [] : ['--class', gpuClass],
  );
  const events = watchTrainEvents(join(stateDir, 'trainings'));
  let known: number | null = null;
  const trainers = async (): Promise<number[]> => await findProcesses('secpi_trainer train', `${stateDir}/`);
  return {
    name,
    stateDir,
    worker,
    tap,
    events,
    lastStep: () => Math.max(0, ...events.of('step').map(({ step }) => step)),
    trainers,
    async trainer() {
      const [pid] = await until(
        `a trainer of ${name}`,
        async () => {
          const pids = await trainers();
          return pids.length === 1 && pids;
        },
        240_000,
      );
      if (pid === undefined) throw new Error(`no trainer of ${name}`);
      known = pid;
      return pid;
    },
    async lose() {
      const gone = worker.kill();
      if (known !== null && isAlive(known)) process.kill(known, 'SIGKILL');
      await tap.close();
      await gone;
      await until(`the trainer of ${name} is gone`, async () => (await trainers()).length === 0);
      events.look();
    },
    async close() {
      events.stop();
      await tap.close();
    },
  };
}
