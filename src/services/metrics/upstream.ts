/** The figures that a benchmark's own report would print. */
import type { VerdictRow } from '../../contract/rows.ts';
import type { UpstreamScores } from '../../contract/summary.ts';

/**
 * As CWEval reports: per task the share of its results that succeed (pass@1), and the mean of that over tasks. A sample
 * that its harness loses is in no result, and a task of which it loses all is in no mean. All 0 where nothing is left.
 */
export function upstreamScores(verdicts: readonly VerdictRow[]): UpstreamScores {
  const tasks = new Map<string, { n: number; func: number; funcSec: number }>();
  let n = 0;
  for (const { taskId, upstream } of verdicts) {
    if (upstream === null) continue;
    const task = tasks.get(taskId) ?? { n: 0, func: 0, funcSec: 0 };
    tasks.set(taskId, {
      n: task.n + 1,
      func: task.func + Number(upstream.functional),
      funcSec: task.funcSec + Number(upstream.functional && upstream.secure),
    });
    n += 1;
  }
  const mean = (of: 'func' | 'funcSec'): number => {
    const sum = [...tasks.values()].reduce((total, task) => total + task[of] / task.n, 0);
    return tasks.size === 0 ? 0 : Math.min(1, sum / tasks.size);
  };
  return { func: mean('func'), funcSec: mean('funcSec'), n };
}
