/** All scores of one model: over everything, over seen and held-out weaknesses, and per weakness. */
import type { CweScores, GroupScores } from '../../contract/summary.ts';
import { samplesOf, scoreTasks, secRatio, type ScoreOptions } from './score.ts';
import { isSeen } from './seen.ts';
import type { TaskTally } from './tally.ts';

export interface ModelMetrics {
  readonly all: GroupScores;
  readonly seen: GroupScores | null;
  readonly heldOut: GroupScores | null;
  readonly perCwe: CweScores[];
}

/** `trainedCwes` null: nothing is known about training, so nothing is split. */
export function scoreModel(
  tasks: readonly TaskTally[],
  trainedCwes: ReadonlySet<string> | null,
  options: ScoreOptions,
): ModelMetrics {
  const seen = (task: TaskTally): boolean => trainedCwes !== null && isSeen(task.cwe, trainedCwes);
  const cwes = [...new Set(tasks.map((task) => task.cwe))].sort(byNumber);
  return {
    all: scoreGroup(tasks, options),
    seen: trainedCwes === null ? null : scoreGroupIfAny(tasks.filter(seen), options),
    heldOut:
      trainedCwes === null
        ? null
        : scoreGroupIfAny(
            tasks.filter((task) => !seen(task)),
            options,
          ),
    perCwe: cwes.map((cwe) => ({
      cwe,
      seen: trainedCwes === null ? null : isSeen(cwe, trainedCwes),
      ...scoreGroup(
        tasks.filter((task) => task.cwe === cwe),
        options,
      ),
    })),
  };
}

function scoreGroupIfAny(tasks: readonly TaskTally[], options: ScoreOptions): GroupScores | null {
  return tasks.length === 0 ? null : scoreGroup(tasks, options);
}

/** Scores of a set of tasks that is not empty. */
export function scoreGroup(tasks: readonly TaskTally[], options: ScoreOptions): GroupScores {
  const scores = {
    func: scoreTasks(tasks, 'func', options),
    secure: scoreTasks(tasks, 'secure', options),
    funcSec: scoreTasks(tasks, 'funcSec', options),
    bestCaseFuncSec: scoreTasks(tasks, 'bestCaseFuncSec', options),
    secRatio: secRatio(tasks, options),
  };
  const names = ['func', 'secure', 'funcSec', 'bestCaseFuncSec', 'secRatio'] as const;
  const count = (of: 'unknown' | 'missing'): number => tasks.reduce((sum, task) => sum + task[of], 0);
  return {
    func: scores.func.score,
    secure: scores.secure.score,
    funcSec: scores.funcSec.score,
    bestCaseFuncSec: scores.bestCaseFuncSec.score,
    secRatio: scores.secRatio?.score ?? null,
    exactIntervals: names.filter((name) => scores[name]?.method === 'exact'),
    samples: samplesOf(tasks),
    tasks: tasks.length,
    scenarios: new Set(tasks.map((task) => task.scenario)).size,
    unknown: count('unknown'),
    missing: count('missing'),
  };
}

function byNumber(a: string, b: string): number {
  return Number(a.slice('CWE-'.length)) - Number(b.slice('CWE-'.length));
}
