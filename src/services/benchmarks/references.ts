/** A benchmark's own solutions through the same grading as samples: what fails there says nothing about a model. */
import { SecpiError } from '../../contract/errors.ts';
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { BenchmarkTaskRow } from '../../contract/rows.ts';
import type { References } from '../../contract/summary.ts';
import type { BenchmarkDriver } from './driver.ts';
import { gradeReplies, isRight, type GradingOptions, type ReplyToGrade } from './gradeReplies.ts';
import type { Graded } from './verdictCache.ts';

/** Names shown in an error; the report lists all. */
const SHOWN = 5;

/** @throws SecpiError REFERENCES_FAIL where the settings want that. */
export async function proveReferences(
  driver: BenchmarkDriver,
  tasks: readonly BenchmarkTaskRow[],
  { repeats, onFailure }: EvaluateSettings['references'],
  options: Omit<GradingOptions, 'salt' | 'keepsFailures'>,
): Promise<References> {
  const replies: ReplyToGrade[] = [];
  for (const task of tasks) {
    const reply = await driver.reference(task.taskId);
    if (reply !== null) replies.push({ task, reply });
  }
  const passes = replies.map(() => 0);
  const firstFailure = new Map<string, Graded>();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    // One that failed is tried anew by the next run, after the machine was mended; repeats are never another run's.
    const salt = repeats === 1 ? 'reference' : `reference ${repeat} ${options.timeoutSalt}`;
    const graded = await gradeReplies(driver, replies, { ...options, salt, keepsFailures: false });
    for (const [index, result] of graded.entries()) {
      const { taskId } = replies[index]?.task ?? {};
      if (isRight(driver, result.grade)) passes[index] = (passes[index] ?? 0) + 1;
      else if (taskId !== undefined && !firstFailure.has(taskId)) firstFailure.set(taskId, result);
    }
  }
  const idsWhere = (holds: (passed: number) => boolean): string[] =>
    replies.flatMap(({ task }, index) => (holds(passes[index] ?? 0) ? [task.taskId] : []));
  const failed = idsWhere((passed) => passed === 0);
  if (failed.length > 0 && onFailure === 'fail') {
    const shown = failed
      .slice(0, SHOWN)
      .map((id) => `${id} (${firstFailure.get(id)?.grade.reason ?? 'failed'})`)
      .join('; ');
    throw new SecpiError(
      'REFERENCES_FAIL',
      `${failed.length} of ${replies.length} references of ${driver.name} fail: ${shown}${failed.length > SHOWN ? '; …' : ''}.`,
      { field: 'evaluate.references' },
    );
  }
  return {
    tasks: replies.length,
    repeats,
    failed,
    flaky: idsWhere((passed) => passed > 0 && passed < repeats),
  };
}
