/** The scores of a set of tasks, and how they grow with the tries. */
import type { GroupScores, PassAtK, Score } from '../../contract/summary.ts';
import {
  meanPassAtK,
  samplesOf,
  scoreRatios,
  secRatio,
  type Ratio,
  type ScoredMetric,
  type ScoreOptions,
} from './score.ts';
import type { TaskTally } from './tally.ts';

/** "function": a benchmark without security tests, of which only `func` means something. */
export type Measures = 'functionAndSecurity' | 'function';

/**
 * Stands where a benchmark measures no security: of n = 0 samples nothing is known, so the interval is all of [0, 1]
 * and the value, 0, says nothing.
 */
export const notMeasured: Readonly<Score> = { value: 0, low: 0, high: 1, n: 0 };

/** Tries that are usual in papers. */
const USUAL_K = [1, 5, 10, 20, 50, 100, 200, 500, 1000];

const withExactInterval = ['func', 'secure', 'funcSec', 'bestCaseFuncSec', 'secRatio', 'insecure'] as const;

/** Scores of a set of tasks that is not empty. */
export function scoreGroup(
  tasks: readonly TaskTally[],
  measures: Measures,
  options: ScoreOptions,
): GroupScores {
  const { k } = options;
  const ratios: Record<string, Ratio | null> = { func: meanPassAtK(tasks, 'func', k) };
  if (measures === 'functionAndSecurity') {
    ratios['secure'] = meanPassAtK(tasks, 'secure', k);
    ratios['funcSec'] = meanPassAtK(tasks, 'funcSec', k);
    ratios['bestCaseFuncSec'] = meanPassAtK(tasks, 'bestCaseFuncSec', k);
    ratios['secRatio'] = secRatio(tasks, k);
    // One answer is shipped: that one of k tries is insecure would say nothing of it.
    ratios['insecure'] = meanPassAtK(tasks, 'insecure', 1);
  }
  const scores = scoreNamed(tasks, ratios, options);
  const score = (name: string): Score => scores.get(name)?.score ?? { ...notMeasured };
  const count = (of: 'unknown' | 'missing'): number => tasks.reduce((sum, task) => sum + task[of], 0);
  return {
    func: score('func'),
    secure: score('secure'),
    funcSec: score('funcSec'),
    bestCaseFuncSec: score('bestCaseFuncSec'),
    secRatio: scores.get('secRatio')?.score ?? null,
    insecure: scores.get('insecure')?.score ?? null,
    exactIntervals: withExactInterval.filter((name) => scores.get(name)?.method === 'exact'),
    samples: samplesOf(tasks),
    tasks: tasks.length,
    scenarios: new Set(tasks.map((task) => task.scenario)).size,
    unknown: count('unknown'),
    missing: count('missing'),
  };
}

/** pass@k of the usual k, of the headline's own and of all samples, as far as the samples of a task reach. */
export function scoreTries(
  tasks: readonly TaskTally[],
  measures: Measures,
  options: ScoreOptions,
): PassAtK[] {
  const samples = Math.min(...tasks.map((task) => task.samples));
  const tries = [...new Set([...USUAL_K, options.k, samples])].filter((k) => k <= samples);
  const metrics = measures === 'function' ? (['func'] as const) : (['func', 'secure', 'funcSec'] as const);
  const scores = scoreNamed(
    tasks,
    Object.fromEntries(
      tries.flatMap((k) => metrics.map((metric) => [`${metric}@${k}`, meanPassAtK(tasks, metric, k)])),
    ),
    options,
  );
  const score = (name: string): Score => scores.get(name)?.score ?? { ...notMeasured };
  return tries
    .sort((a, b) => a - b)
    .map((k) => ({
      k,
      func: score(`func@${k}`),
      secure: score(`secure@${k}`),
      funcSec: score(`funcSec@${k}`),
    }));
}

/** Scores by name, without those that are null. */
function scoreNamed(
  tasks: readonly TaskTally[],
  ratios: Readonly<Record<string, Ratio | null>>,
  options: ScoreOptions,
): Map<string, ScoredMetric> {
  const asked = Object.entries(ratios).flatMap(([name, ratio]) => (ratio === null ? [] : [{ name, ratio }]));
  const scored = scoreRatios(
    tasks,
    asked.map(({ ratio }) => ratio),
    options,
  );
  return new Map(
    asked.flatMap(({ name }, i) => {
      const score = scored[i];
      return score === undefined ? [] : [[name, score] as const];
    }),
  );
}
