/** The store: everything durable, over one bucket. */
import { createArtifacts } from './artifacts.ts';
import type { Artifacts } from './artifacts.ts';
import { createBlobs } from './blobs.ts';
import type { Blobs } from './blobs.ts';
import { createObjectStore } from './objectStore.ts';
import type { ObjectStore, ObjectStoreOptions } from './objectStore.ts';
import { createTrainings } from './trainings.ts';
import type { Trainings } from './trainings.ts';

export interface StoreOptions extends ObjectStoreOptions {
  /** Folder for parts on their way; default: the system's. */
  readonly tempDir?: string;
}

export interface Store {
  readonly objects: ObjectStore;
  readonly blobs: Blobs;
  readonly artifacts: Artifacts;
  readonly trainings: Trainings;
}

/** Opens without a request: call `objects.ensureBucket()` and `probeStore(objects)` at start. */
export function openStore({ tempDir, ...options }: StoreOptions): Store {
  const objects = createObjectStore(options);
  const blobs = createBlobs(objects, tempDir === undefined ? {} : { tempDir });
  return {
    objects,
    blobs,
    artifacts: createArtifacts(objects, blobs),
    trainings: createTrainings(objects, blobs),
  };
}

export { canonicalJson, canonicalLine } from './canonicalJson.ts';
export type { Json } from './canonicalJson.ts';
export { contentHashOfFiles } from './folders.ts';
export { fingerprint } from './fingerprint.ts';
export type { FingerprintFields } from './fingerprint.ts';
export { sha256Hex, sha256OfFile } from './hash.ts';
export * from './gc/index.ts';
export * from './keys.ts';
export { probeStore } from './probe.ts';
export { hashParts, hashRows, readRows, writeRows } from './rows.ts';
export type { RowRange } from './rows.ts';
export type { ArtifactClaim, Artifacts } from './artifacts.ts';
export type { Blobs } from './blobs.ts';
export type { IsOwnerAlive } from './heads.ts';
export type { Download } from './download.ts';
export type { ListedObject, ObjectStore, ObjectStoreOptions, StoredSize } from './objectStore.ts';
export type {
  CheckpointEntry,
  PrunedCheckpoints,
  PublishCheckpointRequest,
  PublishedCheckpoint,
  SkippedCheckpoint,
  TrainingClaim,
  Trainings,
} from './trainings.ts';
