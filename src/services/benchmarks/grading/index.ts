export { collectTestIds, gradePythonSample, type GradeRequest, type PythonTask } from './grade.ts';
export type { ExpectedTests, Grade } from './verdict.ts';
