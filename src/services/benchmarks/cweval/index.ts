/** CWEval (Co1lin/CWEval) from a user's checkout. Nothing of it is part of this project. */
export { findCheckout, type CwevalCheckout } from './checkout.ts';
export { describeCweval, type CwevalDescription } from './describe.ts';
export { createCwevalDriver } from './driver.ts';
export { importCwevalResults, type ImportedResults } from './importResults.ts';
export type { CwevalOptions } from './setUp.ts';
export { writeUpstreamResults, type UpstreamResultsOptions } from './upstreamResults.ts';
