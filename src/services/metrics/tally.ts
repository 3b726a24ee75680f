/** Verdicts to counts per task, against a denominator that was fixed before grading. */
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import { SecpiError } from '../../contract/errors.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../contract/rows.ts';

/** What a model was asked on one benchmark: every task, under every variant, `samplesPerTask` times. */
export interface Denominator {
  readonly benchmark: string;
  readonly tasks: readonly BenchmarkTaskRow[];
  readonly samplesPerTask: number;
  /** The headline's own first. */
  readonly variants: readonly PromptVariant[];
}

/** Successes of one task under one prompt variant, out of `samples`. */
export interface TaskTally {
  readonly taskId: string;
  /** Cluster: tasks of one scenario are not independent. */
  readonly scenario: string;
  readonly language: string;
  /** All weaknesses of the task, the main one first; empty where it is about none. */
  readonly cwes: readonly string[];
  readonly samples: number;
  readonly func: number;
  readonly secure: number;
  readonly funcSec: number;
  /** Functional and not secure. */
  readonly insecure: number;
  /** funcSec if every sample of unknown outcome had succeeded. */
  readonly bestCaseFuncSec: number;
  readonly unknown: number;
  /** Samples that were asked for and have no verdict: failures. */
  readonly missing: number;
}

/**
 * Counts the verdicts of one model on one benchmark, a list of tasks for each variant in the order of the variants. A
 * missing sample is a failure. An unknown one counts against the model whatever its flags say; the best case is kept
 * beside. Scenario, language and weaknesses are those of the task, not of the verdict.
 * @throws SecpiError INTERNAL when a verdict is doubled, was never asked for, or belongs to another benchmark:
 * then the numbers would not mean what they say.
 */
export function tallyVerdicts(
  denominator: Denominator,
  verdicts: readonly VerdictRow[],
): Map<PromptVariant, TaskTally[]> {
  const { benchmark, tasks, samplesPerTask, variants } = checked(denominator);
  const given = new Map(variants.map((variant) => [variant, slotsOf(tasks)]));
  for (const verdict of verdicts) {
    const { variant, taskId, sample } = verdict;
    const name = `verdict of ${verdict.benchmark} ${taskId} (${variant}) sample ${sample}`;
    if (verdict.benchmark !== benchmark) throw defect(`${name} stands among verdicts of ${benchmark}`);
    const samples = given.get(variant)?.get(taskId);
    if (samples === undefined || sample >= samplesPerTask) throw defect(`${name} was not asked for`);
    if (samples.has(sample)) throw defect(`${name} is there twice`);
    samples.set(sample, verdict);
  }
  return new Map(
    [...given].map(([variant, slots]) => [
      variant,
      tasks.map((task) => tallyTask(task, samplesPerTask, [...(slots.get(task.taskId)?.values() ?? [])])),
    ]),
  );
}

function slotsOf(tasks: readonly BenchmarkTaskRow[]): Map<string, Map<number, VerdictRow>> {
  return new Map(tasks.map(({ taskId }) => [taskId, new Map()]));
}

function checked(denominator: Denominator): Denominator {
  const { benchmark, tasks, samplesPerTask, variants } = denominator;
  if (!Number.isInteger(samplesPerTask) || samplesPerTask < 1)
    throw defect(`${samplesPerTask} samples a task`);
  if (tasks.length === 0) throw defect(`${benchmark} has no task`);
  if (variants.length === 0) throw defect(`${benchmark} has no prompt variant`);
  const seen = new Set<string>();
  for (const task of tasks) {
    if (seen.has(task.taskId)) throw defect(`task ${task.taskId} is expected twice`);
    if (task.benchmark !== benchmark)
      throw defect(`task ${task.taskId} is of ${task.benchmark}, not ${benchmark}`);
    seen.add(task.taskId);
  }
  return denominator;
}

function tallyTask(task: BenchmarkTaskRow, samples: number, verdicts: readonly VerdictRow[]): TaskTally {
  const known = verdicts.filter((verdict) => !verdict.unknown);
  const count = (holds: (verdict: VerdictRow) => boolean): number => known.filter(holds).length;
  const unknown = verdicts.length - known.length;
  const func = count((verdict) => verdict.functional);
  const funcSec = count((verdict) => verdict.functional && verdict.secure);
  return {
    taskId: task.taskId,
    scenario: task.scenario,
    language: task.language,
    cwes: [...new Set([...(task.cwe === null ? [] : [task.cwe]), ...task.cwes])],
    samples,
    func,
    secure: count((verdict) => verdict.secure),
    funcSec,
    insecure: func - funcSec,
    bestCaseFuncSec: funcSec + unknown,
    unknown,
    missing: samples - verdicts.length,
  };
}

function defect(problem: string): SecpiError {
  return new SecpiError('INTERNAL', `The verdicts do not fit the tasks that were asked for: ${problem}.`);
}
