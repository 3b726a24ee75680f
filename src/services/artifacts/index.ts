/** What the store holds, for people: listing, lineage, verification. */
export { lineageOf } from './lineage.ts';
export type { LineageNode, Making } from './lineage.ts';
export { listArtifacts } from './list.ts';
export type { ListedArtifact } from './list.ts';
export { verifyArtifacts } from './verify.ts';
export type { Verified } from './verify.ts';
