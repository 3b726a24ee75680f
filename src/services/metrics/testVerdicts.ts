/** Verdicts for tests: a task is written as one letter a sample. */
import type { VerdictRow } from '../../contract/rows.ts';
import type { ExpectedTask } from './tally.ts';

export interface TaskPattern {
  readonly taskId: string;
  readonly scenario?: string;
  readonly cwe?: string;
  /** `b` both, `f` functional only, `s` secure only, `n` neither, `u` unknown, `-` missing. */
  readonly samples: string;
}

export function expectedOf(patterns: readonly TaskPattern[]): ExpectedTask[] {
  return patterns.map(({ taskId, scenario = taskId, cwe = 'CWE-89', samples }) => ({
    taskId,
    scenario,
    cwe,
    samples: samples.length,
  }));
}

export function verdictsOf(patterns: readonly TaskPattern[]): VerdictRow[] {
  const rows: VerdictRow[] = [];
  for (const { taskId, scenario = taskId, cwe = 'CWE-89', samples } of patterns) {
    for (const [sample, letter] of [...samples].entries()) {
      if (letter === '-') continue;
      const [functional, secure] = [letter === 'b' || letter === 'f', letter === 'b' || letter === 's'];
      rows.push({
        index: rows.length,
        benchmark: 'suite',
        taskId,
        sample,
        cwe,
        scenario,
        language: 'py',
        generated: true,
        extractable: true,
        functional,
        secure,
        unknown: letter === 'u',
        reason: letter === 'b' ? 'passed' : letter === 'u' ? 'gradingFailed' : 'testsFailed',
        failedTests: letter === 'b' ? [] : ['test_it'],
        log: letter === 'b' ? '' : 'AssertionError: not what was asked for',
      });
    }
  }
  return rows;
}
