/** Garbage collection of the store. */
export { collectGarbage, MIN_GRACE_MS } from './collect.ts';
export type { Amount, Collection, CollectOptions, Named } from './collect.ts';
