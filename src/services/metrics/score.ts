/** func@k, secure@k, funcSec@k and SecRatio of a set of tasks, each with an interval. */
import type { Score } from '../../contract/summary.ts';
import { proportionInterval, ratioOfSums, type BootstrapOptions, type Cluster } from './bootstrap.ts';
import { passAtK } from './passAtK.ts';
import type { TaskTally } from './tally.ts';

export const metricNames = ['func', 'secure', 'funcSec'] as const;
export type MetricName = (typeof metricNames)[number];

export interface ScoreOptions extends BootstrapOptions {
  readonly k: number;
}

/** A score and how its interval was found. */
export interface ScoredMetric {
  readonly score: Score;
  readonly method: 'bootstrap' | 'exact';
}

/** Mean over tasks of the unbiased pass@k of a count; interval clustered on the scenario. */
export function scoreTasks(
  tasks: readonly TaskTally[],
  metric: MetricName | 'bestCaseFuncSec',
  options: ScoreOptions,
): ScoredMetric {
  const clusters = clusterTasks(tasks, (task) => ({
    numerator: passAtK(task.samples, task[metric], options.k),
    denominator: 1,
  }));
  return scored(clusters, samplesOf(tasks), options);
}

/**
 * SecRatio = funcSec@k / func@k: of what works, the share that is secure as well. The paper does not print its
 * formula; this is our reading of it (FuncSec over Func), so reports print it. Null where nothing is functional.
 * n counts the functional samples; draws of the bootstrap in which nothing is functional are drawn again.
 */
export function secRatio(tasks: readonly TaskTally[], options: ScoreOptions): ScoredMetric | null {
  const functional = tasks.reduce((sum, task) => sum + task.func, 0);
  if (functional === 0) return null;
  const clusters = clusterTasks(tasks, (task) => ({
    numerator: passAtK(task.samples, task.funcSec, options.k),
    denominator: passAtK(task.samples, task.func, options.k),
  }));
  return scored(clusters, functional, options);
}

function scored(clusters: readonly Cluster[], n: number, options: BootstrapOptions): ScoredMetric {
  const { low, high, method } = proportionInterval(clusters, options);
  return { score: { value: ratioOfSums(clusters), low, high, n }, method };
}

/** Sums over the tasks of each scenario, in the order of the scenarios' names, so that the seed decides alone. */
export function clusterTasks<Task extends { readonly scenario: string }>(
  tasks: readonly Task[],
  part: (task: Task) => Cluster,
): Cluster[] {
  const byScenario = new Map<string, Cluster>();
  for (const task of tasks) {
    const sum = byScenario.get(task.scenario) ?? { numerator: 0, denominator: 0 };
    const { numerator, denominator } = part(task);
    byScenario.set(task.scenario, {
      numerator: sum.numerator + numerator,
      denominator: sum.denominator + denominator,
    });
  }
  return [...byScenario.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cluster]) => cluster);
}

export function samplesOf(tasks: readonly { readonly samples: number }[]): number {
  return tasks.reduce((sum, task) => sum + task.samples, 0);
}
