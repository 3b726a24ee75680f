/** Keeps what the benchmarks hold out of the training data. */
export {
  createDecontaminator,
  type Contamination,
  type Decontaminator,
  type EvaluationText,
} from './decontaminator.ts';
export { loadEvaluationTexts, type EvaluationSources } from './loadEvaluationTexts.ts';
