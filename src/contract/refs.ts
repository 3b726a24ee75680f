/** References that travel through workflow histories instead of payloads. */
import { z } from 'zod';

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** An immutable object of the store, named by the SHA-256 of its bytes. */
export const blobRefSchema = z.strictObject({
  /** `s3://bucket/blobs/sha256/<ab>/<hex>` */
  uri: z.string(),
  sha256: sha256Schema,
  bytes: z.int().nonnegative(),
});
export type BlobRef = z.infer<typeof blobRefSchema>;

/** A blob of rows (`.jsonl.zst`), in index order. */
export const partSchema = blobRefSchema.extend({ rows: z.int().nonnegative() });
export type Part = z.infer<typeof partSchema>;

/** A file of a folder kept as blobs (a checkpoint, a model). `path` is relative, with `/`. */
export const fileRefSchema = blobRefSchema.extend({ path: z.string().min(1) });
export type FileRef = z.infer<typeof fileRefSchema>;

export const artifactKinds = [
  'dataset',
  'answers',
  'filter',
  'traces',
  'model',
  'benchmark',
  'generation',
  'evaluation',
] as const;
export const artifactKindSchema = z.enum(artifactKinds);
export type ArtifactKind = (typeof artifactKinds)[number];

/** A published artefact, small enough for any history. */
export const artifactRefSchema = z.strictObject({
  kind: artifactKindSchema,
  /** `s3://bucket/artifacts/<kind>/<fingerprint>` */
  uri: z.string(),
  fingerprint: sha256Schema,
  /** Hash over the canonical rows (or files) in index order: equal content, equal hash. */
  contentSha256: sha256Schema,
  rows: z.int().nonnegative(),
});
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

/** The writer of a head: one Temporal run. */
export const ownerSchema = z.strictObject({
  namespace: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  /** Tells attempts of one run apart where each must fence the one before (training); "" where a run is one writer. */
  writer: z.string(),
});
export type Owner = z.infer<typeof ownerSchema>;
