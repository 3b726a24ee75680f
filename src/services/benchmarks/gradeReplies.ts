/** Grades replies side by side, each once, with a second try under less load for those that ran out of time. */
import { Semaphore } from 'async-mutex';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { BenchmarkDriver, DriverGrade, GradeLimits } from './driver.ts';
import { verdictKeyOf, type Graded, type VerdictCache } from './verdictCache.ts';

/** A timeout is the machine's doing until it is seen again with more time on a quieter machine. */
const WALL_FACTORS = [1, 2] as const;
/** A grading that broke down is tried so often in all. */
const UNKNOWN_ATTEMPTS = 3;

/** Gradings at a time, over everything that this process grades: one shard's waits are another's chance. */
export interface GradingLane {
  /** `quiet` takes half of the lane, so that half of the usual load is left beside it. */
  run<T>(work: () => Promise<T>, options?: { readonly quiet?: boolean }): Promise<T>;
}

export function createGradingLane(concurrency: number): GradingLane {
  const permits = Math.max(1, concurrency);
  const semaphore = new Semaphore(permits);
  return {
    run: async (work, { quiet = false } = {}) =>
      await semaphore.runExclusive(work, quiet ? Math.max(1, Math.ceil(permits / 2)) : 1),
  };
}

export interface ReplyToGrade {
  readonly task: BenchmarkTaskRow;
  readonly reply: string;
}

export interface GradingOptions {
  readonly limits: GradeLimits;
  readonly lane: GradingLane;
  readonly cache: VerdictCache;
  /** See verdictKeyOf; "" shares with all. */
  readonly salt: string;
  readonly signal: AbortSignal;
  /** After each, in no order. */
  readonly onGraded?: (done: number) => void;
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
  const gradeOnce = async ({ task, reply }: ReplyToGrade): Promise<Graded> => {
    const request = { taskId: task.taskId, reply, limits: options.limits };
    const key = verdictKeyOf(driver, task.testsSha256, request, options.salt);
    // Small models repeat themselves: equal replies are one grading.
    const graded = underWay.get(key) ?? gradeAnew(driver, { task, reply }, { ...options, signal }, key);
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
  }
}

async function gradeAnew(
  driver: BenchmarkDriver,
  { task, reply }: ReplyToGrade,
  { limits, lane, cache, signal }: GradingOptions,
  key: string,
): Promise<Graded> {
  const known = await cache.get(key);
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
      { quiet: attempt > 1 },
    );
    if (isWorthAnother(grade, attempt)) continue;
    const graded = { grade, attempts: attempt };
    // What stayed unknown is another run's to find out.
    return grade.unknown ? graded : await cache.put(key, graded);
  }
}

function isWorthAnother({ timedOut, unknown }: DriverGrade, attempt: number): boolean {
  if (unknown) return attempt < UNKNOWN_ATTEMPTS;
  return timedOut && attempt < WALL_FACTORS.length;
}
