/** Grades replies that lie in a folder in CWEval's layout, on this machine, without a run. */
import type { BenchmarkTaskRow, SampleRow, VerdictRow } from '../../contract/rows.ts';
import type { BenchmarkDriver, GradeLimits } from './driver.ts';
import { createGradingLane, gradeReplies } from './gradeReplies.ts';
import { readSamples, type StoredSample } from './samplesFolder.ts';
import { toVerdict } from './toVerdict.ts';
import { createMemoryCache } from './verdictCache.ts';

export interface FolderGrading {
  /** Those that the folder has a sample of: each was asked for as often as there are generated_ folders. */
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  /** By task, then by index; samples that are missing have none. */
  readonly verdicts: readonly VerdictRow[];
  readonly samples: readonly StoredSample[];
}

export interface FolderOptions {
  readonly limits: GradeLimits;
  /** Default: the driver's own. */
  readonly concurrency?: number;
  readonly signal: AbortSignal;
  readonly onGraded?: (done: number, total: number) => void;
}

/** @throws SecpiError SAMPLES_INVALID; BENCHMARK_UNAVAILABLE never: what cannot be graded here is unknown. */
export async function gradeFolder(
  driver: BenchmarkDriver,
  dir: string,
  { limits, concurrency = driver.concurrency, signal, onGraded }: FolderOptions,
): Promise<FolderGrading> {
  const known = new Map(driver.tasks.map((task) => [task.taskId, task]));
  const { samples, samplesPerTask } = await readSamples(dir, new Set(known.keys()));
  const sorted = [...samples].sort((a, b) => compare(a.taskId, b.taskId) || a.index - b.index);
  const present = new Set(sorted.map(({ taskId }) => taskId));
  const tasks = driver.tasks.filter(({ taskId }) => present.has(taskId));
  const gradable = sorted.flatMap((sample) => {
    const task = known.get(sample.taskId);
    return task === undefined || driver.ungradable.has(sample.taskId) ? [] : [{ sample, task }];
  });
  const graded = await gradeReplies(
    driver,
    gradable.map(({ sample, task }) => ({ task, reply: sample.reply })),
    {
      limits,
      lane: createGradingLane(concurrency),
      concurrency,
      cache: createMemoryCache(),
      salt: '',
      timeoutSalt: '',
      signal,
      onGraded: (done) => onGraded?.(done, gradable.length),
    },
  );
  const results = new Map(gradable.map(({ sample }, position) => [sample, graded[position]]));
  const verdicts = sorted.flatMap((sample, index) => {
    const task = known.get(sample.taskId);
    if (task === undefined) return [];
    const row = rowOf(driver, sample, index);
    const why = driver.ungradable.get(sample.taskId);
    return [
      why === undefined ? toVerdict(task, row, results.get(sample) ?? null, []) : ungraded(task, row, why),
    ];
  });
  return { tasks, samplesPerTask, verdicts, samples: sorted };
}

function rowOf(
  { name }: BenchmarkDriver,
  { taskId, index: sample, reply }: StoredSample,
  index: number,
): SampleRow {
  return {
    index,
    benchmark: name,
    variant: 'none',
    taskId,
    sample,
    reply,
    reasoning: null,
    finishReason: null,
    promptTokens: 0,
    completionTokens: 0,
    problem: null,
  };
}

/** A tool is missing on this machine: not the sample's doing, and not a success. */
function ungraded(task: BenchmarkTaskRow, row: SampleRow, why: string): VerdictRow {
  return {
    ...toVerdict(task, row, null, []),
    generated: true,
    unknown: true,
    reason: 'toolMissing',
    log: why,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
