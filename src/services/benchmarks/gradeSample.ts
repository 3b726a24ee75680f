/** One generated sample → its verdict, whatever became of it on the way. */
import type { EvaluateSettings } from '../../contract/recipe.ts';
import type { SampleRow, VerdictRow } from '../../contract/rows.ts';
import { tailOf, type Sandbox, type Toolchain } from '../sandbox/index.ts';
import { gradePythonSample, type Grade } from './grading/index.ts';
import type { BenchmarkTask } from './load.ts';
import { extractCode } from './suite/extract.ts';

/** Raised by hand when the same sample can get another verdict. */
export const GRADE_CODE_VERSION = 1;
const LOG_CHARACTERS = 2000;
const MIB = 1024 ** 2;

export interface GradeSampleRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly task: BenchmarkTask;
  readonly sample: SampleRow;
  readonly limits: EvaluateSettings['limits'];
  readonly signal: AbortSignal;
}

/** Throws SANDBOX_UNAVAILABLE; everything that is the sample's doing is in the verdict. */
export async function gradeSample({
  sandbox,
  toolchain,
  task,
  sample,
  limits,
  signal,
}: GradeSampleRequest): Promise<VerdictRow> {
  const { reply } = sample;
  if (reply === null)
    return verdictOf(task, sample, { generated: false, extractable: false }, failure('notGenerated'));
  const extracted = extractCode(reply, task.language, task.entryPoint);
  if (extracted.code === null)
    return verdictOf(task, sample, { generated: true, extractable: false }, failure(extracted.reason));
  const grade = await gradePythonSample({
    sandbox,
    toolchain,
    task: {
      id: task.id,
      entryPoint: task.entryPoint,
      testFile: task.files.test.path,
      moduleName: `${task.id.split('/').at(-1) ?? task.id}_task`,
      expectedTests: task.tests,
    },
    code: extracted.code,
    limits: { wallMs: limits.wallSeconds * 1000, memoryBytes: limits.memoryMiB * MIB },
    signal,
  });
  return verdictOf(task, sample, { generated: true, extractable: true }, grade);
}

function failure(reason: string): Grade {
  return { functional: false, secure: false, unknown: false, reason, failedTests: [], log: '' };
}

function verdictOf(
  task: BenchmarkTask,
  { index, benchmark, taskId, sample, finishReason }: SampleRow,
  reached: Pick<VerdictRow, 'generated' | 'extractable'>,
  grade: Grade,
): VerdictRow {
  // "timeout: the tests took longer than 20 s" → a word that can be counted, and a sentence for the log.
  const [word = grade.reason] = grade.reason.split(':', 1);
  const cut = finishReason === 'length' && !grade.functional ? ', cut off at maxTokens' : '';
  return {
    index,
    benchmark,
    taskId,
    sample,
    cwe: task.cwe,
    scenario: task.scenario,
    language: task.language,
    ...reached,
    functional: grade.functional,
    secure: grade.secure,
    unknown: grade.unknown,
    reason: `${word}${cut}`,
    failedTests: [...grade.failedTests],
    log: tailOf([grade.reason, grade.log].filter((text) => text !== '').join('\n'), LOG_CHARACTERS),
  };
}
