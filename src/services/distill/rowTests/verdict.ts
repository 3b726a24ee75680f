/** From what a row's tests reported to the verdict: pure, so that every trick has a row in a table. */
import { z } from 'zod';
import type { SandboxEnd } from '../../sandbox/index.ts';

/** What the tests' process reports, a line each. */
export const reportSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('test'),
    id: z.string(),
    outcome: z.enum(['passed', 'failed']),
    why: z.string(),
  }),
  /** The tests could not be imported. */
  z.strictObject({ type: z.literal('broken'), why: z.string() }),
  /** The exit status of the test framework: 0 and 1 mean that it ran the tests. */
  z.strictObject({ type: z.literal('end'), status: z.int() }),
]);
export type TestReport = z.infer<typeof reportSchema>;

/** One run of the tests, in the order reported. */
export interface TestRun {
  readonly reports: readonly TestReport[];
  readonly end: Pick<SandboxEnd, 'outcome' | 'exitCode' | 'signalName'>;
}

export interface ExpectedTests {
  /** Known from the tests alone; an id stands here as often as it is to be reported. */
  readonly ids: readonly string[];
  /** Whether others may come up while the tests run, as sub-tests of `node:test` do. */
  readonly mayGrow: boolean;
}

/** Null when all passed; else what speaks against the code. */
export function defectOf({ reports, end }: TestRun, expected: ExpectedTests): string | null {
  const ended = endProblem(end);
  const broken = reports.find((report) => report.type === 'broken');
  if (broken !== undefined) return `the tests cannot be imported with this code: ${broken.why}`;
  const failed = testsOf(reports).find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) return `${failed.id}: ${failed.why}`;
  return ended ?? incomplete(reports, expected, 0);
}

/**
 * The control run has the same ids, and each must fail. One that passes shows code that decides the outcome itself:
 * it patches the test framework, or returns what equals everything.
 */
export function controlDefectOf({ reports, end }: TestRun, expected: ExpectedTests): string | null {
  // Sub-tests that came up are not made to fail; the tests that hold them are.
  const passed = testsOf(reports).find(
    ({ id, outcome }) => outcome === 'passed' && (!expected.mayGrow || expected.ids.includes(id)),
  );
  if (passed !== undefined) return `${passed.id} passes where it must fail: the code meddles with its tests`;
  const problem = endProblem(end) ?? incomplete(reports, expected, 1);
  return problem === null ? null : `the control run: ${problem}`;
}

function testsOf(reports: readonly TestReport[]): Extract<TestReport, { type: 'test' }>[] {
  return reports.filter((report) => report.type === 'test');
}

function endProblem(end: TestRun['end']): string | null {
  if (end.outcome === 'timeout') return 'no result within the wall limit';
  if (end.outcome !== 'exited') return `ended by ${end.outcome}`;
  return end.exitCode === 0 ? null : `its process exited with ${end.exitCode ?? end.signalName}`;
}

/** Every expected id as often as expected, and the framework's own end as the last word. */
function incomplete(
  reports: readonly TestReport[],
  { ids, mayGrow }: ExpectedTests,
  status: number,
): string | null {
  const missing = new Map<string, number>();
  for (const id of ids) missing.set(id, (missing.get(id) ?? 0) + 1);
  for (const { id } of testsOf(reports)) {
    const left = missing.get(id) ?? 0;
    if (left === 0 && !mayGrow) return `${id} was reported more often than it ran`;
    missing.set(id, left - 1);
  }
  const unreported = ids.find((id) => (missing.get(id) ?? 0) > 0);
  if (unreported !== undefined) return `${unreported} was not reported: the run ended early`;
  const ends = reports.filter((report) => report.type === 'end');
  const last = reports.at(-1);
  if (ends.length !== 1 || last?.type !== 'end') return 'the tests did not come to their end';
  return last.status === status ? null : `the test framework ended with status ${last.status}`;
}
