/** func@k, secure@k, funcSec@k, SecRatio and insecure of a set of tasks, each with an interval. */
import type { Score } from '../../contract/summary.ts';
import { proportionIntervals, ratioOfSums, type BootstrapOptions, type Cluster } from './bootstrap.ts';
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

/** A statistic Σ numerator / Σ denominator over tasks. */
export interface Ratio {
  readonly part: (task: TaskTally) => Cluster;
  /** Samples that it is about. */
  readonly n: number;
}

/** Mean over tasks of the unbiased pass@k of a count. */
export function meanPassAtK(
  tasks: readonly TaskTally[],
  count: MetricName | 'bestCaseFuncSec' | 'insecure',
  k: number,
): Ratio {
  return {
    part: (task) => ({ numerator: passAtK(task.samples, task[count], k), denominator: 1 }),
    n: samplesOf(tasks),
  };
}

/**
 * SecRatio = funcSec@k / func@k: of what works, the share that is secure as well. The paper does not print its
 * formula; this is our reading of it (FuncSec over Func), so reports print it. Null where nothing is functional.
 * n counts the functional samples; draws of the bootstrap in which nothing is functional are drawn again.
 */
export function secRatio(tasks: readonly TaskTally[], k: number): Ratio | null {
  const n = tasks.reduce((sum, task) => sum + task.func, 0);
  if (n === 0) return null;
  return {
    part: (task) => ({
      numerator: passAtK(task.samples, task.funcSec, k),
      denominator: passAtK(task.samples, task.func, k),
    }),
    n,
  };
}

/** Value and interval, clustered on the scenario, of each ratio over the same tasks. */
export function scoreRatios(
  tasks: readonly TaskTally[],
  ratios: readonly Ratio[],
  options: BootstrapOptions,
): ScoredMetric[] {
  const clusters = ratios.map(({ part }) => clusterTasks(tasks, part));
  return proportionIntervals(clusters, options).map(({ low, high, method }, i) => ({
    score: { value: Math.min(1, ratioOfSums(clusters[i] ?? [])), low, high, n: ratios[i]?.n ?? 0 },
    method,
  }));
}

/** One ratio alone. */
export function scoreRatio(
  tasks: readonly TaskTally[],
  ratio: Ratio,
  options: BootstrapOptions,
): ScoredMetric {
  const [scored] = scoreRatios(tasks, [ratio], options);
  if (scored === undefined) throw new RangeError('a ratio has no score');
  return scored;
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
