/**
 * The public interface: workflow types, task queues, their inputs and results, queries, signals, updates and
 * search attributes. Names are an API: change them only with a migration note in CHANGELOG.md.
 */
export * from './workflows/budget.ts';
export * from './workflows/describe.ts';
export * from './workflows/experiment.ts';
export * from './workflows/inputs.ts';
export * from './workflows/names.ts';
export * from './workflows/progress.ts';
export * from './workflows/reevaluate.ts';
export * from './workflows/refreshData.ts';
export * from './workflows/results.ts';
