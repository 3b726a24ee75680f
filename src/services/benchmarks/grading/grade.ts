/** Grades one Python program for one task of a suite in CWEval's shape. */
import { join } from 'node:path';
import { SecpiError } from '../../../contract/errors.ts';
import { DEFAULT_LIMITS, type Sandbox, type SandboxLimits, type Toolchain } from '../../sandbox/index.ts';
import { attemptGrading, type AttemptRequest, type AttemptResult } from './attempt.ts';
import { stageHarness } from '../stageHarness.ts';
import { gradeOf, type ExpectedTests, type Grade } from './verdict.ts';

export interface PythonTask {
  readonly id: string;
  /** The function that the sample must define. */
  readonly entryPoint: string;
  /** Host path of the pytest file. */
  readonly testFile: string;
  /** What the tests import, e.g. `cwe_022_0_task`. */
  readonly moduleName: string;
  /** Collected from the test file where absent. */
  readonly expectedTests?: ExpectedTests;
}

export interface GradeRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly task: PythonTask;
  /** The program as the model wrote it. */
  readonly code: string;
  /** `wallMs` bounds the tests of the sample together. */
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

const HARNESS = join(import.meta.dirname, 'harness');

type CollectRequest = Omit<GradeRequest, 'code'>;

/** The messages of all calls together, on the pipe that elsewhere holds a program's output. */
const CONVERSATION_BYTES = 16 * 1024 ** 2;

/**
 * The verdict comes from a process that the sample cannot write to, and counts only tests that were expected and
 * reported once. Throws SANDBOX_UNAVAILABLE when a sandbox fails to start, and the signal's reason when aborted.
 */
export async function gradePythonSample(request: GradeRequest): Promise<Grade> {
  const expected = request.task.expectedTests ?? (await collectTestIds(request));
  const { end, outcomes, log } = await attempt(request, { code: request.code, expected });
  return gradeOf(end, expected, outcomes, log);
}

/** Ids of the tests by their mark. Throws SUITE_INVALID when the file does not collect or a test has no mark. */
export async function collectTestIds(request: CollectRequest): Promise<ExpectedTests> {
  const { end, tests, log } = await attempt(request, null);
  const { id, testFile } = request.task;
  if (end.kind !== 'finished') {
    throw new SecpiError(
      'SUITE_INVALID',
      `the tests of ${id} cannot be collected (${end.kind}: ${end.detail}): ${log}`,
      {
        field: testFile,
      },
    );
  }
  const unmarked = tests.filter(({ kind }) => kind === 'unmarked').map((test) => test.id);
  const ids = (kind: string) => tests.filter((test) => test.kind === kind).map((test) => test.id);
  const expected = { functional: ids('functionality'), security: ids('security') };
  if (unmarked.length > 0 || expected.functional.length === 0 || expected.security.length === 0) {
    const problem =
      unmarked.length > 0 ? `without one mark: ${unmarked.join(', ')}` : 'one of the two kinds is missing';
    throw new SecpiError(
      'SUITE_INVALID',
      `tests of ${id} must be marked functionality or security; ${problem}.`,
      {
        field: testFile,
      },
    );
  }
  return expected;
}

async function attempt(request: CollectRequest, sample: AttemptRequest['sample']): Promise<AttemptResult> {
  const { sandbox, toolchain, task, signal } = request;
  return await attemptGrading({
    sandbox,
    toolchain,
    harnessDir: await stageHarness(toolchain, 'harness', HARNESS),
    ...task,
    sample,
    limits: widened({ ...DEFAULT_LIMITS, ...request.limits }),
    ...(signal && { signal }),
  });
}

/** The CPU limit lies beyond the wall limit, so that an endless loop ends as the timeout that it is. */
function widened(limits: SandboxLimits): SandboxLimits {
  const outputBytes = Math.max(limits.outputBytes, CONVERSATION_BYTES);
  return { ...limits, cpuSeconds: Math.ceil(limits.wallMs / 1000) + 5, outputBytes };
}
