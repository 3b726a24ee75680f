/** Kills of a training's host at chosen moments: a seeded plan, and the hand that strikes when the moment comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tapped, type Armed, type Moment, type TapMatch } from './s3Tap.ts';
import type { TrainHost } from './trainHost.ts';

/**
 * Where a host is struck. "in an upload": the server has the first bytes of a blob; "before a publication": blobs and
 * manifest are in the store, the head does not list them; "after a publication": it does, and nobody was told.
 */
export const killMoments = [
  'in a step',
  'in a save',
  'in an upload',
  'before a publication',
  'after a publication',
] as const;
export type KillMoment = (typeof killMoments)[number];

export interface Kill {
  /** SIGKILL: the host is lost, worker and trainer in one tick. SIGTERM: the worker is told to leave. */
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly moment: KillMoment;
  /** The moment is waited for from this step on. */
  readonly fromStep: number;
}

export interface Struck extends Kill {
  /** Milliseconds of the clock, when the signal was sent. */
  readonly atMs: number;
  /** The last step that the host had finished by its end. */
  readonly lastStep: number;
  /** The checkpoints that its trainer had written by then, in order. */
  readonly written: readonly number[];
  /** Of its trainers after the worker's end. */
  readonly trainersLeft: number;
}

/** Mulberry32: small, and the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface PlanOptions {
  readonly steps: number;
  readonly interval: number;
  /** Each moment once, by SIGKILL. */
  readonly losses: boolean;
  /** SIGTERM, so many times. */
  readonly notices: number;
}

/**
 * Kills in an order and at steps of the seed. Each has a stretch of the training to itself, in which a checkpoint
 * falls; the last interval is left alone, since no further one comes.
 */
export function planKills(
  random: () => number,
  { steps, interval, losses, notices }: PlanOptions,
): readonly Kill[] {
  const kinds: Omit<Kill, 'fromStep'>[] = [
    ...(losses ? killMoments.map((moment) => ({ signal: 'SIGKILL', moment }) as const) : []),
    ...Array.from({ length: notices }, () => ({ signal: 'SIGTERM', moment: 'in a step' }) as const),
  ];
  const stretch = (steps - interval) / kinds.length;
  if (stretch < interval)
    throw new RangeError(`${steps} steps are too few for ${kinds.length} kills, ${interval} steps apart`);
  const order = kinds.map((kind) => ({ kind, place: random() })).toSorted((a, b) => a.place - b.place);
  return order.map(({ kind }, index) => ({
    ...kind,
    fromStep: Math.floor(stretch * index + random() * (stretch - interval)) + 1,
  }));
}

/** Waits for the moment and strikes; resolves when the worker is gone, and after SIGKILL its trainer too. */
export async function strike(host: TrainHost, kill: Kill, random: () => number): Promise<Struck> {
  const { signal, moment, fromStep } = kill;
  await host.trainer();
  let atMs = Number.NaN;
  const hit = async (): Promise<void> => {
    atMs = Date.now();
    await (signal === 'SIGKILL' ? host.lose() : host.worker.stop());
  };
  const atRequest = (at: Moment, match: TapMatch): Armed =>
    host.tap.on(at, match, async () => {
      await hit();
      return 'cut';
    });
  switch (moment) {
    case 'in a step': {
      const { seconds } = await host.events.first({ name: 'step', fits: ({ step }) => step >= fromStep });
      await sleep(random() * seconds * 1000);
      await hit();
      break;
    }
    case 'in a save': {
      let struck = Promise.resolve();
      await host.events.first({ name: 'saving', fits: ({ step }) => step >= fromStep }, () => {
        struck = hit();
      });
      await struck;
      break;
    }
    case 'in an upload': {
      const isSaved = (): boolean => host.events.of('checkpoint').some(({ step }) => step >= fromStep);
      await atRequest('during', (request) => tapped.blobPut(request) && isSaved()).done;
      break;
    }
    case 'before a publication':
    case 'after a publication': {
      let isDescribed = false;
      host.tap.on('after', tapped.manifestPut(fromStep), async () => {
        isDescribed = true;
      });
      const at = moment === 'before a publication' ? 'before' : 'after';
      await atRequest(at, (request) => tapped.headPut(request) && isDescribed).done;
      break;
    }
  }
  host.events.look();
  return {
    ...kill,
    atMs,
    lastStep: host.lastStep(),
    written: host.events.of('checkpoint').map(({ step }) => step),
    trainersLeft: (await host.trainers()).length,
  };
}
