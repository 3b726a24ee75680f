export { collectTestIds, gradePythonSample, type GradeRequest, type PythonTask } from './grade.ts';
export { gradeOf, type AttemptEnd, type ExpectedTests, type Grade, type Judgement } from './verdict.ts';
