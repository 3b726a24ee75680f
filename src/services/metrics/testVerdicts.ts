/** Verdicts for tests: a task is written as one letter a sample. */
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import type { BenchmarkTaskRow, VerdictRow } from '../../contract/rows.ts';
import { tallyVerdicts, type Denominator, type TaskTally } from './tally.ts';

export interface TaskPattern {
  readonly taskId: string;
  readonly scenario?: string;
  readonly cwe?: string | null;
  /** Besides `cwe`. */
  readonly cwes?: readonly string[];
  readonly language?: string;
  /** `b` both, `f` functional only, `s` secure only, `n` neither, `u` unknown, `-` missing. */
  readonly samples: string;
}

/** All patterns must have as many samples. */
export function denominatorOf(
  patterns: readonly TaskPattern[],
  variants: readonly PromptVariant[] = ['none'],
): Denominator {
  return {
    benchmark: 'suite',
    tasks: patterns.map(taskOf),
    samplesPerTask: patterns[0]?.samples.length ?? 0,
    variants,
  };
}

function taskOf(pattern: TaskPattern, index: number): BenchmarkTaskRow {
  const { taskId, scenario = taskId, cwe = 'CWE-89', cwes = [], language = 'python' } = pattern;
  return {
    index,
    benchmark: 'suite',
    taskId,
    cwe,
    cwes: [...(cwe === null ? [] : [cwe]), ...cwes],
    scenario,
    language,
    entryPoint: null,
    prompts: { none: 'Write it.', generic: 'Write it securely.', specific: 'Write it without holes.' },
    testsSha256: '0'.repeat(64),
  };
}

export function verdictsOf(
  patterns: readonly TaskPattern[],
  variant: PromptVariant = 'none',
  facts: Partial<VerdictRow> = {},
): VerdictRow[] {
  const rows: VerdictRow[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const { taskId, cwe, scenario, language } = taskOf(pattern, index);
    for (const [sample, letter] of [...pattern.samples].entries()) {
      if (letter === '-') continue;
      const [functional, secure] = [letter === 'b' || letter === 'f', letter === 'b' || letter === 's'];
      rows.push({
        index: rows.length,
        benchmark: 'suite',
        variant,
        taskId,
        sample,
        cwe,
        scenario,
        language,
        generated: true,
        extractable: true,
        functional,
        secure,
        unknown: letter === 'u',
        truncated: false,
        reason: letter === 'b' ? 'passed' : letter === 'u' ? 'gradingFailed' : 'testsFailed',
        failedTests: letter === 'b' ? [] : ['test_it'],
        foundCwes: [],
        upstream: null,
        attempts: 1,
        opinions: [],
        log: letter === 'b' ? '' : 'AssertionError: not what was asked for',
        ...facts,
      });
    }
  }
  return rows;
}

/** The tallies of the one variant. */
export function tallyOf(patterns: readonly TaskPattern[]): TaskTally[] {
  return tallyVerdicts(denominatorOf(patterns), verdictsOf(patterns)).get('none') ?? [];
}
