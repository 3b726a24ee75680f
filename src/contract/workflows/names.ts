/** Queues, workflow types, stages, search attributes, queries, signals and updates by name. */

export const queues = {
  control: 'secpi',
  data: 'secpi-data',
  gpu: 'secpi-gpu',
  sandbox: 'secpi-sandbox',
} as const;
export type WorkerKind = keyof typeof queues;

export const workflowTypes = [
  'secpi',
  'filterDataset',
  'distillTraces',
  'fineTune',
  'sweep',
  'evaluateModel',
  'askModel',
  'estimateCost',
] as const;
export type WorkflowType = (typeof workflowTypes)[number];

export const stageNames = [
  'filter',
  'distil',
  'fine-tune',
  'evaluate base',
  'evaluate tuned',
  'report',
] as const;
export type StageName = (typeof stageNames)[number];

/** Custom search attributes by name; `secpi doctor` and the workers check that the namespace knows them. */
export const searchAttributes = {
  SecpiStage: 'Keyword',
  SecpiRecipe: 'Keyword',
  SecpiModel: 'Keyword',
  SecpiDataset: 'Keyword',
  SecpiReused: 'Bool',
  SecpiCostUsd: 'Double',
  SecpiFuncSec: 'Double',
} as const;
export type SearchAttributeName = keyof typeof searchAttributes;

/** The queue of a class of GPU workers; of those without a class where none is given. */
export function gpuQueue(gpuClass?: string): string {
  return gpuClass === undefined ? queues.gpu : `${queues.gpu}-${gpuClass}`;
}

export const progressQueryName = 'progress';
export const controlQueryName = 'control';
export const progressSignalName = 'progress';
export const budgetQueryName = 'budget';
export const raiseBudgetUpdateName = 'raiseBudget';
export const grantTrancheUpdateName = 'grantTranche';
export const settleTrancheSignalName = 'settleTranche';
export const checkpointNowUpdateName = 'checkpointNow';
export const pauseUpdateName = 'pause';
export const resumeUpdateName = 'resume';
export const stopEarlyUpdateName = 'stopEarly';
