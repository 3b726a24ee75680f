/** A teacher's answer → a training pair, or the reason why not. */
import type { FilteredRow, RejectedTrace, TraceRow } from '../../contract/rows.ts';
import type { CodeParser } from './parseCode.ts';
import { checkTrace, type TeacherAnswer } from './traceChecks.ts';

export type Judged =
  /** `parsed` is false where no parser for the language is at hand. */
  | { readonly kind: 'accepted'; readonly row: TraceRow; readonly parsed: boolean }
  | { readonly kind: 'rejected'; readonly row: RejectedTrace };

/** The pair's prompt is the task and nothing else: at inference nobody mentions security. */
export async function judgeTrace(
  task: FilteredRow,
  answer: TeacherAnswer,
  parser: CodeParser,
): Promise<Judged> {
  const reject = (reason: RejectedTrace['reason'], detail: string): Judged => ({
    kind: 'rejected',
    row: {
      index: task.index,
      id: task.id,
      sample: 0,
      reason,
      detail,
      language: task.language,
      cwes: task.cwes,
      excerpt: answer.text.slice(0, 4000),
    },
  });
  const check = checkTrace(answer);
  if (!check.ok) return reject(check.reason, check.detail);
  const language = check.code.language === '' ? (task.language ?? '') : check.code.language;
  const outcome = await parser.parses(language, check.code.code);
  if (outcome.kind === 'broken') return reject('codeDoesNotParse', outcome.detail);
  return {
    kind: 'accepted',
    parsed: outcome.kind === 'parses',
    row: {
      index: task.index,
      id: task.id,
      prompt: [{ role: 'user', content: task.task }],
      reasoning: check.reasoning,
      answer: check.answer,
      language: task.language ?? (language === '' ? null : language),
      cwes: task.cwes,
      group: task.group,
      sample: 0,
    },
  };
}
