/** Grades replies side by side, each once, with a second try under less load for those that ran out of time. */
import { Semaphore } from 'async-mutex';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { BenchmarkDriver, DriverGrade, GradeLimits } from './driver.ts';
import { verdictKeyOf, type Graded, type VerdictCache } from './verdictCache.ts';

/** A timeout is the machine's doing until it is seen again with more time on a quieter machine. */
const WALL_FACTORS = [1, 2] as const;
/** A grading that broke down is tried so often in all. */
const UNKNOWN_ATTEMPTS = 3;
const WAITING_EVERY_MS = 30_000;

/** Gradings at a time, over everything that this process grades: one shard's waits are another's chance. */
export interface GradingLane {
  /** Throws the signal's reason when it is aborted before the turn comes. */
  run<T>(work: () => Promise<T>, options: LaneOptions): Promise<T>;
}

export interface LaneOptions {
  /** How many a machine bears of the kind. */
  readonly concurrency: number;
  /** Takes half of the lane, so that at most half of the usual load is beside it. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
}

/** `permits`: small sandboxes that keep the machine busy; a heavier kind takes several of them. */
export function createGradingLane(permits: number): GradingLane {
  const size = Math.max(1, permits);
  const semaphore = new Semaphore(size);
  return {
    run: async (work, { concurrency, quiet, signal }) => {
      signal.throwIfAborted();
      const share = Math.min(size, Math.max(1, Math.round(size / Math.max(1, concurrency))));
      const weight = quiet ? Math.max(share, Math.ceil(size / 2)) : share;
      const release = await takeTurn(semaphore, weight, signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}

async function takeTurn(semaphore: Semaphore, weight: number, signal: AbortSignal): Promise<() => void> {
  const turn = semaphore.acquire(weight);
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    const [, release] = await Promise.race([turn, left.promise]);
    return release;
  } catch (error) {
    // Its turn comes all the same, and is given back.
    void turn.then(([, release]) => release());
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

export interface ReplyToGrade {
  readonly task: BenchmarkTaskRow;
  readonly reply: string;
}

export interface GradingOptions {
  readonly limits: GradeLimits;
  readonly lane: GradingLane;
  /** Default: the driver's own. */
  readonly concurrency?: number;
  readonly cache: VerdictCache;
  /** See verdictKeyOf; "" shares with all. */
  readonly salt: string;
  /** Added to the salt of a timeout: it holds for this run alone, since another machine may be quicker. */
  readonly timeoutSalt: string;
  /** False keeps nothing but what passed whole. */
  readonly keepsFailures?: boolean;
  readonly signal: AbortSignal;
  /** After each, in no order. */
  readonly onGraded?: (done: number) => void;
  /** Now and then while something waits for its turn or is graded. */
  readonly onWaiting?: () => void;
}

/** In the order of the replies. The first failure stops the rest and is thrown. */
export async function gradeReplies(
  driver: BenchmarkDriver,
  replies: readonly ReplyToGrade[],
  options: GradingOptions,
): Promise<Graded[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const underWay = new Map<string, Promise<Graded>>();
  let done = 0;
  const waiting = setInterval(() => options.onWaiting?.(), WAITING_EVERY_MS);
  const gradeOnce = async ({ task, reply }: ReplyToGrade): Promise<Graded> => {
    const request = { taskId: task.taskId, reply, limits: options.limits };
    const keyWith = (salt: string): string => verdictKeyOf(driver, task.testsSha256, request, salt);
    const key = keyWith(options.salt);
    const timeoutKey = keyWith(`${options.salt} timeout ${options.timeoutSalt}`);
    // Small models repeat themselves: equal replies are one grading.
    const graded =
      underWay.get(key) ?? gradeAnew(driver, { task, reply }, { ...options, signal }, { key, timeoutKey });
    underWay.set(key, graded);
    const result = await graded;
    options.onGraded?.((done += 1));
    return result;
  };
  const all = replies.map(gradeOnce);
  try {
    return await Promise.all(all);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(all);
    throw error;
  } finally {
    clearInterval(waiting);
  }
}

async function gradeAnew(
  driver: BenchmarkDriver,
  { task, reply }: ReplyToGrade,
  { limits, lane, concurrency = driver.concurrency, cache, signal, keepsFailures = true }: GradingOptions,
  { key, timeoutKey }: { readonly key: string; readonly timeoutKey: string },
): Promise<Graded> {
  const known = (await cache.get(key)) ?? (await cache.get(timeoutKey));
  if (known !== null) return known;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const factor = WALL_FACTORS[attempt - 1] ?? WALL_FACTORS[WALL_FACTORS.length - 1] ?? 1;
    const grade = await lane.run(
      async () => {
        signal.throwIfAborted();
        const patient = { ...limits, wallMs: limits.wallMs * factor };
        return await driver.grade({ taskId: task.taskId, reply, limits: patient, signal });
      },
      { concurrency, quiet: attempt > 1, signal },
    );
    if (isWorthAnother(grade, attempt)) continue;
    const graded = { grade, attempts: attempt };
    // What stayed unknown is another run's to find out.
    if (grade.unknown || !(keepsFailures || isRight(driver, grade))) return graded;
    return await cache.put(grade.timedOut ? timeoutKey : key, graded);
  }
}

function isWorthAnother({ timedOut, unknown }: DriverGrade, attempt: number): boolean {
  if (unknown) return attempt < UNKNOWN_ATTEMPTS;
  return timedOut && attempt < WALL_FACTORS.length;
}

/** As a reference has to be. */
export function isRight({ measures }: BenchmarkDriver, { functional, secure }: DriverGrade): boolean {
  return functional && (measures === 'function' || secure);
}
