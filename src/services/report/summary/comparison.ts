/** Two models on the same benchmark. */
import type { Comparison, Difference, Differences } from '../../../contract/summary.ts';
import {
  exposureOf,
  mcnemar,
  minimalDetectable,
  pairedDifference,
  type Measures,
  type MetricName,
  type ScoreOptions,
  type TaskTally,
} from '../../metrics/index.ts';
import { conclusionsOf } from './conclusions.ts';

export interface Design {
  readonly measures: Measures;
  /** Weaknesses that were trained on; null where nothing is known about training. */
  readonly trained: ReadonlySet<string> | null;
  /** Both models answered each task once, at temperature 0. */
  readonly oneGreedyAnswer: boolean;
}

/** Stands where a benchmark measures no security: of n = 0 samples any difference may be true. */
const notMeasured: Readonly<Difference> = { value: 0, low: -1, high: 1, pValue: 1, n: 0 };

/** The tallies are of the same tasks. */
export function compareModels(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  { measures, trained, oneGreedyAnswer }: Design,
  options: ScoreOptions,
): Comparison {
  const judgesSecurity = measures === 'functionAndSecurity';
  const primary: MetricName = judgesSecurity ? 'funcSec' : 'func';
  const over = (exposure: 'seen' | 'heldOut'): Differences | null => {
    if (trained === null || !judgesSecurity) return null;
    const holds = (task: TaskTally): boolean => exposureOf(task, trained) === exposure;
    const group = base.filter(holds);
    return group.length === 0 ? null : differences(group, tuned.filter(holds), measures, options);
  };
  const all = differences(base, tuned, measures, options);
  const heldOut = over('heldOut');
  const smallest = minimalDetectable(base, tuned, primary, options.k);
  const greedy = oneGreedyAnswer && judgesSecurity ? mcnemar(base, tuned) : null;
  return {
    ...all,
    seen: over('seen'),
    heldOut,
    minimalDetectable: judgesSecurity ? smallest : null,
    mcnemar: greedy,
    conclusions: conclusionsOf({ all, heldOut, measures, smallest, mcnemar: greedy }),
  };
}

function differences(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  measures: Measures,
  options: ScoreOptions,
): Differences {
  const security = (metric: MetricName): Difference =>
    measures === 'function' ? { ...notMeasured } : pairedDifference(base, tuned, metric, options);
  return {
    func: pairedDifference(base, tuned, 'func', options),
    secure: security('secure'),
    funcSec: security('funcSec'),
    tasks: base.length,
    scenarios: new Set(base.map((task) => task.scenario)).size,
  };
}
