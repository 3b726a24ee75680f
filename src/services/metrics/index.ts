/** Scores of models from verdicts. */
export { defaultBootstrap, MIN_BOOTSTRAP_CLUSTERS, type BootstrapOptions } from './bootstrap.ts';
export { clopperPearson } from './clopperPearson.ts';
export { mcnemar } from './mcnemar.ts';
export { MIN_DIFFERING_SCENARIOS, minimalDetectable } from './minimalDetectable.ts';
export { pairedDifference } from './pairedDifference.ts';
export { passAtK } from './passAtK.ts';
export { metricNames, type MetricName, type ScoreOptions } from './score.ts';
export { scoreGroup, type Measures } from './scoreGroup.ts';
export { scoreModel, type ModelMetrics } from './scoreModel.ts';
export { analyserAgreement, esrLike } from './secondOpinion.ts';
export { exposureOf, isSeen } from './seen.ts';
export { tallyVerdicts, type Denominator, type TaskTally } from './tally.ts';
export { upstreamScores } from './upstream.ts';
