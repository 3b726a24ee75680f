/** Verdicts to counts per task, against a denominator that was fixed before grading. */
import { SecpiError } from '../../contract/errors.ts';
import type { VerdictRow } from '../../contract/rows.ts';

/** A task of the benchmark and how many samples of it were asked for. */
export interface ExpectedTask {
  readonly taskId: string;
  /** Cluster: tasks of one scenario are not independent. */
  readonly scenario: string;
  readonly cwe: string;
  readonly samples: number;
}

/** Successes of one task, out of `samples`. */
export interface TaskTally extends ExpectedTask {
  readonly func: number;
  readonly secure: number;
  readonly funcSec: number;
  /** funcSec if every sample of unknown outcome had succeeded. */
  readonly bestCaseFuncSec: number;
  readonly unknown: number;
  /** Samples that were asked for and have no verdict: failures. */
  readonly missing: number;
}

/**
 * Counts the verdicts of one model on one benchmark. A missing sample is a failure. An unknown one counts
 * against the model whatever its flags say; the best case is kept beside.
 * @throws SecpiError INTERNAL when a verdict is doubled, was never asked for, or belongs to another benchmark:
 * then the numbers would not mean what they say.
 */
export function tallyVerdicts(
  expected: readonly ExpectedTask[],
  verdicts: readonly VerdictRow[],
): TaskTally[] {
  const byTask = new Map<string, Map<number, VerdictRow>>();
  for (const { taskId, samples } of expected) {
    if (byTask.has(taskId)) throw defect(`task ${taskId} is expected twice`);
    if (!Number.isInteger(samples) || samples < 1) throw defect(`task ${taskId} expects ${samples} samples`);
    byTask.set(taskId, new Map());
  }
  const allowed = new Map(expected.map((task) => [task.taskId, task.samples]));
  const benchmark = verdicts[0]?.benchmark;
  for (const verdict of verdicts) {
    const name = `verdict of ${verdict.benchmark} ${verdict.taskId} sample ${verdict.sample}`;
    if (verdict.benchmark !== benchmark) throw defect(`${name} stands among verdicts of ${benchmark}`);
    const samples = byTask.get(verdict.taskId);
    if (samples === undefined || verdict.sample >= (allowed.get(verdict.taskId) ?? 0)) {
      throw defect(`${name} was not asked for`);
    }
    if (samples.has(verdict.sample)) throw defect(`${name} is there twice`);
    samples.set(verdict.sample, verdict);
  }
  return expected.map((task) => tallyTask(task, [...(byTask.get(task.taskId)?.values() ?? [])]));
}

function tallyTask(task: ExpectedTask, verdicts: readonly VerdictRow[]): TaskTally {
  const known = verdicts.filter((verdict) => !verdict.unknown);
  const count = (holds: (verdict: VerdictRow) => boolean): number => known.filter(holds).length;
  const unknown = verdicts.length - known.length;
  const funcSec = count((verdict) => verdict.functional && verdict.secure);
  return {
    taskId: task.taskId,
    scenario: task.scenario,
    cwe: task.cwe,
    samples: task.samples,
    func: count((verdict) => verdict.functional),
    secure: count((verdict) => verdict.secure),
    funcSec,
    bestCaseFuncSec: funcSec + unknown,
    unknown,
    missing: task.samples - verdicts.length,
  };
}

function defect(problem: string): SecpiError {
  return new SecpiError('INTERNAL', `The verdicts do not fit the tasks that were asked for: ${problem}.`);
}
