/** The workflow bundle: each export is a public workflow type. */
export { askModel } from './askModel.ts';
export { distillTraces } from './distillTraces.ts';
export { estimateCost } from './estimateCost.ts';
export { evaluateModel } from './evaluateModel.ts';
export { experiment } from './experiment.ts';
export { filterDataset } from './filterDataset.ts';
export { fineTune } from './fineTune.ts';
export { reevaluate } from './reevaluate.ts';
export { refreshData } from './refreshData.ts';
export { sweep } from './sweep.ts';
export { secpi } from './secpi.ts';
