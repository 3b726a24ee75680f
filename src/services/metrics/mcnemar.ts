/** McNemar's test: two models that each answered a task once. */
import type { McNemar } from '../../contract/summary.ts';
import { betaCdf } from './beta.ts';
import type { TaskTally } from './tally.ts';

/**
 * On functional and secure, over tasks of one sample each. It takes tasks for independent; scenarios are not clustered.
 * @throws RangeError when the two were not tallied over the same tasks, or a task has more than one sample.
 */
export function mcnemar(base: readonly TaskTally[], tuned: readonly TaskTally[]): McNemar {
  const tunedById = new Map(tuned.map((task) => [task.taskId, task]));
  const counts = { onlyBase: 0, onlyTuned: 0, both: 0, neither: 0 };
  for (const task of base) {
    const other = tunedById.get(task.taskId);
    if (other === undefined || task.samples !== 1 || other.samples !== 1 || base.length !== tuned.length) {
      throw new RangeError(`McNemar's test needs one sample of each model of ${task.taskId}`);
    }
    if (task.funcSec === 1) counts[other.funcSec === 1 ? 'both' : 'onlyBase'] += 1;
    else counts[other.funcSec === 1 ? 'onlyTuned' : 'neither'] += 1;
  }
  return { ...counts, pValue: mcnemarPValue(counts.onlyBase, counts.onlyTuned) };
}

/**
 * Two-sided exact p-value: of b + c pairs that differ, each side is as likely if the models do not, so it is
 * 2·P(X ≤ min(b, c)) with X binomial (b + c, ½), at most 1. Source: McNemar 1947, Psychometrika 12; the exact form in
 * Fay 2010, The R Journal 2(1). The sum of binomial terms is I_½(n − m, m + 1), DLMF 8.17.5.
 */
export function mcnemarPValue(onlyBase: number, onlyTuned: number): number {
  const fewer = Math.min(onlyBase, onlyTuned);
  const more = Math.max(onlyBase, onlyTuned);
  if (fewer === more) return 1;
  return Math.min(1, 2 * betaCdf(0.5, more, fewer + 1));
}
