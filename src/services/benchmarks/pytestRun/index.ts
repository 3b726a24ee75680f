export { gradeOfPytest } from './grade.ts';
export { runPytest, stagePytestHarness } from './runPytest.ts';
export type { PytestEnd, PytestOutcome, PytestRequest, PytestResult, PytestTest, TestMark } from './types.ts';
