/** Scores of models from verdicts. */
export { defaultBootstrap, type BootstrapOptions } from './bootstrap.ts';
export { clopperPearson } from './clopperPearson.ts';
export { pairedDifference } from './pairedDifference.ts';
export { passAtK } from './passAtK.ts';
export { metricNames, scoreTasks, secRatio, type MetricName, type ScoreOptions } from './score.ts';
export { isSeen } from './seen.ts';
export { scoreGroup, scoreModel, type ModelMetrics } from './scoreModel.ts';
export { tallyVerdicts, type ExpectedTask, type TaskTally } from './tally.ts';
