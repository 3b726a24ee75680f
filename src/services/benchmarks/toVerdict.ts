/** A sample and what its grading said → its row, whatever became of it on the way. */
import type { AnalyserOpinion, BenchmarkTaskRow, SampleRow, VerdictRow } from '../../contract/rows.ts';
import { tailOf } from '../sandbox/index.ts';
import type { Graded } from './verdictCache.ts';

const LOG_CHARACTERS = 2000;

/** `graded` is null of a sample without a reply. */
export function toVerdict(
  task: BenchmarkTaskRow,
  { index, benchmark, variant, sample, finishReason, problem }: SampleRow,
  graded: Graded | null,
  opinions: readonly AnalyserOpinion[],
): VerdictRow {
  const truncated = finishReason === 'length';
  const place = {
    index,
    benchmark,
    variant,
    taskId: task.taskId,
    sample,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    truncated,
    opinions: [...opinions],
  };
  if (graded === null) {
    return {
      ...place,
      generated: false,
      extractable: false,
      functional: false,
      secure: false,
      unknown: false,
      reason: 'notGenerated',
      failedTests: [],
      foundCwes: [],
      upstream: null,
      attempts: 0,
      log: problem ?? '',
    };
  }
  const { grade, attempts } = graded;
  // "timeout: the tests took longer than 20 s" → a word that can be counted, and a sentence for the log.
  const [word = grade.reason] = grade.reason.split(':', 1);
  return {
    ...place,
    generated: true,
    extractable: grade.extractable,
    functional: grade.functional,
    secure: grade.secure,
    unknown: grade.unknown,
    reason: truncated && !grade.functional ? `${word}, cut off at maxTokens` : word,
    failedTests: [...grade.failedTests],
    foundCwes: [...grade.foundCwes],
    upstream: grade.upstream,
    attempts,
    log: tailOf([grade.reason, grade.log].filter((text) => text !== '').join('\n'), LOG_CHARACTERS),
  };
}
