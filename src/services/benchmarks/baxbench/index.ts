export { readCatalogue, type BaxbenchTask, type Catalogue } from './catalogue.ts';
export { openCheckout, type Checkout } from './checkout.ts';
export { createBaxbenchDriver, type BaxbenchDriver, type BaxbenchOptions } from './driver.ts';
export type { Engine } from './engine.ts';
export { findEngine } from './findEngine.ts';
export {
  importBaxbenchResults,
  type ImportedResults,
  type ImportOptions,
  type ImportedSample,
} from './importResults.ts';
export { writeBaxbenchResults, type GradedSample, type WriteResultsOptions } from './writeResults.ts';
