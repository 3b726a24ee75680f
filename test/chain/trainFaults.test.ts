/**
 * Fine-tuning under preemption, at a size for tests; `npm run faults:train` runs the kills on the embedded model. Each
 * scenario has a queue of its own, so that they run side by side.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobKey } from '../../src/services/store/index.ts';
import { tapped } from './s3Tap.ts';
import { isAlive, until } from './stack.ts';
import {
  describeRecovery,
  sumUp,
  trainedRun,
  trainThroughKills,
  violations,
  type TrainedRun,
} from './trainFaults.ts';
import { startHost, type HostOptions, type TrainHost } from './trainHost.ts';
import { planKills, seededRandom } from './trainKills.ts';
import {
  metricsBlobOf,
  INTERVAL,
  startTrainStack,
  STEPS,
  trainingHead,
  type Settings,
  type TrainStack,
} from './trainSetup.ts';

const SEED = 5;
const attemptsSchema = z.array(
  z.looseObject({ damaged: z.array(z.object({ step: z.int(), problem: z.string() })) }),
);
/** Several times what it takes on two free cores. */
const SCENARIO_MS = 480_000;
/** Steps of about half a second: the training outlasts what happens to it. */
const slow: Settings = { batchRows: 16, checkpointEverySteps: 5 };

let stack: TrainStack;
let unbroken: Promise<TrainedRun>;
const hosts: TrainHost[] = [];

async function host(options: HostOptions): Promise<TrainHost> {
  const started = await startHost(stack, options);
  hosts.push(started);
  return started;
}

/** The steps that trainers of these hosts finished, as often as they did. */
const stepsOn = (...of: readonly TrainHost[]): number[] =>
  of.flatMap(({ events }) => events.of('step').map(({ step }) => step));
const lossesOn = ({ events }: TrainHost): Map<number, number | null> =>
  new Map(events.of('step').map(({ step, loss }) => [step, loss]));
const oneToLast = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

beforeAll(async () => {
  stack = await startTrainStack();
  unbroken = host({ name: 'unbroken' }).then(async () => {
    await stack.train('unbroken');
    return await trainedRun(stack, 'unbroken');
  });
  unbroken.catch(() => undefined); // told by the tests that await it
}, 240_000);
afterAll(async () => {
  for (const each of hosts) await each.close();
  await stack?.stop();
});

describe.concurrent('a training whose hosts go', () => {
  it.each([
    ['are lost at five seeded moments', { losses: true, notices: 0 }],
    ['are taken away at three seeded moments', { losses: false, notices: 3 }],
  ])(
    '%s is the unbroken one, bit for bit',
    async (_, what) => {
      const gpuClass = what.losses ? 'losses' : 'notices';
      const random = seededRandom(SEED);
      const kills = planKills(random, { steps: STEPS, interval: INTERVAL, ...what });
      const finetune = {
        ...stack.finetune,
        gpu: { class: gpuClass },
        limits: { maxLossesWithoutCheckpoint: kills.length },
      };
      const killed = await trainThroughKills(stack, {
        id: gpuClass,
        traces: stack.traces,
        finetune,
        gpuClass,
        kills,
        random,
      });
      const story = killed.recoveries.map(describeRecovery).join('\n');
      console.log(JSON.stringify({ seed: SEED, steps: STEPS, interval: INTERVAL, ...sumUp(killed) }));
      expect(violations(await unbroken, killed, INTERVAL), story).toEqual([]);
      expect(killed.result.preemptions).toBe(kills.length);
    },
    SCENARIO_MS,
  );

  it(
    'goes on when its worker alone is killed: the next one on this host adopts the trainer',
    async () => {
      const gpuClass = 'adopted';
      const first = await host({ name: gpuClass, gpuClass });
      await stack.train('adopted', { gpu: { class: gpuClass } });
      const trainer = await first.trainer();
      await first.events.first({ name: 'step', fits: ({ step }) => step > INTERVAL });
      await first.worker.kill();
      // Held until the next worker is there: on a free machine it would be through by then.
      process.kill(trainer, 'SIGSTOP');
      const atKill = first.lastStep();
      const second = await host({ name: 'adopter', gpuClass, stateDir: first.stateDir });
      const adopted = await second.trainer();
      process.kill(trainer, 'SIGCONT');
      const result = await stack.result('adopted');
      expect(adopted).toBe(trainer);
      expect(atKill).toBeLessThan(STEPS);
      expect(first.events.of('started')).toHaveLength(1);
      expect(stepsOn(first)).toEqual(oneToLast(STEPS));
      expect(result).toMatchObject({ preemptions: 1, stepsRepeated: 0 });
      expect(result.artifact.contentSha256).toBe((await unbroken).result.artifact.contentSha256);
      expect(await second.trainers()).toEqual([]);
    },
    SCENARIO_MS,
  );

  it(
    'is fenced on a host that wakes: its late publication is refused, and its trainer ends',
    async () => {
      const gpuClass = 'frozen';
      const first = await host({ name: 'sleeper', gpuClass });
      await stack.train('frozen', { ...slow, maxSteps: 300, gpu: { class: gpuClass } });
      const second = await host({ name: 'successor', gpuClass });
      const taken = Promise.withResolvers<void>();
      let described = 0;
      first.tap.on('after', tapped.manifestPut(INTERVAL), async ({ key }) => {
        described = Number(/step-(\d+)/.exec(key)?.[1]);
      });
      // Frozen with a publication on its lips, which the store hears when another host has taken over.
      const late = first.tap.on(
        'before',
        (request) => tapped.headPut(request) && described > 0,
        async () => {
          first.worker.freeze();
          await taken.promise;
        },
      );
      const refused = first.tap.on(
        'after',
        (request) => tapped.headPut(request) && described > 0,
        async () => undefined,
      );
      const trainer = await first.trainer();
      const begun = await second.events.first({ name: 'step' });
      const before = await trainingHead(stack, 'frozen');
      expect(isAlive(trainer)).toBe(true); // it trained on while its worker slept
      expect(begun.step).toBe((before?.checkpoints.at(-1)?.step ?? 0) + 1);
      taken.resolve();
      await late.done;
      expect((await refused.done).status).toBe(412);
      first.worker.wake();
      await until(
        'the trainer of the first host ended',
        async () => (await first.trainers()).length === 0,
        20_000,
      );

      const head = await trainingHead(stack, 'frozen');
      const told = [...(before?.checkpoints ?? []), ...(head?.checkpoints ?? [])];
      expect(described).toBeGreaterThanOrEqual(INTERVAL);
      expect(told.filter(({ epoch, step }) => epoch === 1 && step >= described)).toEqual([]);
      expect(head?.epoch).toBeGreaterThan(1);
      // Both trained the same steps, on other disks, to the same losses.
      const [one, other] = [lossesOn(first), lossesOn(second)];
      const shared = [...one.keys()].filter((step) => other.has(step));
      expect(shared.length).toBeGreaterThan(0);
      expect(shared.map((step) => other.get(step))).toEqual(shared.map((step) => one.get(step)));
      await stack.temporal('workflow', 'cancel', '--workflow-id', 'frozen');
      await until('the second host is free', async () => (await second.trainers()).length === 0);
    },
    SCENARIO_MS,
  );

  it(
    'resumes from the checkpoint before one that is damaged, and says so',
    async () => {
      const gpuClass = 'damaged';
      const file = (sha256: string): string =>
        join(stack.s3.dataDir, stack.store.objects.bucket, blobKey(sha256));
      const flipByte = async (sha256: string): Promise<void> => {
        const bytes = await readFile(file(sha256));
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        await writeFile(file(sha256), bytes);
      };
      /** Damages the newest checkpoint; returns the steps of the one before and its own. */
      const damageNewest = async (damage: (sha256: string) => Promise<void>): Promise<[number, number]> => {
        const [before, newest] = (await trainingHead(stack, 'damaged'))?.checkpoints.slice(-2) ?? [];
        if (before === undefined || newest === undefined) throw new Error('fewer than two checkpoints');
        await damage(await metricsBlobOf(stack, newest.key));
        return [before.step, newest.step];
      };
      const twoPublished = async (from: number): Promise<unknown> =>
        await until('two checkpoints', async () => {
          const checkpoints = (await trainingHead(stack, 'damaged'))?.checkpoints ?? [];
          return checkpoints.length >= 2 && (checkpoints.at(-1)?.step ?? 0) > from;
        });
      const first = await host({ name: 'damaged-1', gpuClass });
      await stack.train('damaged', { gpu: { class: gpuClass } });
      await first.trainer();
      await twoPublished(INTERVAL);
      await first.lose();
      const [flippedBefore, flipped] = await damageNewest(flipByte);

      const second = await host({ name: 'damaged-2', gpuClass });
      await second.trainer();
      await twoPublished(flipped);
      await second.lose();
      const [missingBefore, missing] = await damageNewest(async (sha256) => await rm(file(sha256)));

      await host({ name: 'damaged-3', gpuClass });
      const result = await stack.result('damaged');
      expect(result.resumedFromSteps).toEqual([flippedBefore, missingBefore]);
      expect(result.artifact.contentSha256).toBe((await unbroken).result.artifact.contentSha256);
      const { facts } = await stack.store.artifacts.readByUri(result.artifact.uri);
      const reported = attemptsSchema.parse(facts['attempts']).flatMap(({ damaged }) => damaged);
      expect(reported.map(({ step }) => step)).toEqual([flipped, missing]);
      const { events } = await stack.client.workflow.getHandle('damaged').fetchHistory();
      const told = (events ?? [])
        .flatMap((event) => event.workflowExecutionSignaledEventAttributes?.input?.payloads ?? [])
        .map(({ data }) => Buffer.from(data ?? []).toString());
      for (const step of [flipped, missing])
        expect(told.some((signal) => signal.includes(`checkpoint ${step} is not whole`))).toBe(true);
    },
    SCENARIO_MS,
  );
});

describe('a training without its servers', () => {
  it(
    'trains on while S3 is away for 20 s and Temporal for 30 s, and repeats nothing',
    async () => {
      const gpuClass = 'offline';
      const alone = await host({ name: gpuClass, gpuClass });
      await stack.train('offline', { ...slow, maxSteps: 90, gpu: { class: gpuClass } });
      const trainer = await alone.trainer();
      await alone.events.first({ name: 'checkpoint' });
      const [goneMs] = [Date.now(), await Promise.all([stack.s3.kill(), stack.killTemporal()])];
      await sleep(20_000);
      await stack.s3.restart();
      await sleep(10_000);
      const backMs = Date.now();
      const during = alone.events
        .of('step')
        .filter(({ seenMs }) => seenMs > goneMs + 15_000 && seenMs < backMs);
      await stack.restartTemporal();
      const result = await stack.result('offline');
      expect(during.length).toBeGreaterThan(0);
      expect(alone.events.of('started')).toHaveLength(1);
      expect(await alone.trainers()).toEqual([]);
      expect(isAlive(trainer)).toBe(false);
      expect(stepsOn(alone)).toEqual(oneToLast(90));
      expect(result.stepsRepeated).toBe(0);
    },
    SCENARIO_MS,
  );
});
