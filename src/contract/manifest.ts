/** What the store keeps under a fingerprint: heads, manifests, shard records, checkpoints. */
import { z } from 'zod';
import {
  artifactKindSchema,
  blobRefSchema,
  fileRefSchema,
  ownerSchema,
  partSchema,
  sha256Schema,
} from './refs.ts';

const count = z.int().nonnegative().default(0);
const usd = z.number().nonnegative().default(0);

/** Tokens and money of answers, summed. What was not counted when an older artefact was made is 0. */
export const usageSchema = z.strictObject({
  /** Requests sent for this artefact: those tried again included, and those of earlier attempts that brought an answer. */
  requests: count,
  /** Answers found in the ledger and not paid again. */
  ledgerHits: count,
  /** Requests that brought no answer and were tried again (or given up). */
  retries: count,
  promptTokens: count,
  /** Reasoning included. */
  completionTokens: count,
  reasoningTokens: count,
  /** Everything paid, the three parts below included. */
  costUsd: usd,
  /** Requests whose outcome is not known (cut off, timed out), charged at their worst case. */
  unsettledUsd: usd,
  /** Answers to requests that had been answered already. */
  paidTwice: count,
  paidTwiceUsd: usd,
  /** Answers that were paid and then rejected by a check. */
  rejectedUsd: usd,
});
export type Usage = z.infer<typeof usageSchema>;

/** Counts by name, e.g. `{in, kept, dropped, duplicates, bad}` or rejections by reason. */
export const countsSchema = z.record(z.string(), z.number());
export type Counts = z.infer<typeof countsSchema>;

/** One finished shard of an artefact being built: first writer wins, never changed. */
export const shardRecordSchema = z.strictObject({
  index: z.int().nonnegative(),
  /** Blobs of rows by the name of the output, e.g. `{kept, dropped, deadLetter}`. */
  parts: z.record(z.string(), partSchema),
  counts: countsSchema,
  usage: usageSchema,
  seconds: z.number().nonnegative(),
});
export type ShardRecord = z.infer<typeof shardRecordSchema>;

export const manifestSchema = z.strictObject({
  kind: artifactKindSchema,
  fingerprint: sha256Schema,
  contentSha256: sha256Schema,
  rows: z.int().nonnegative(),
  /** Rows by the name of the output, in index order. */
  parts: z.record(z.string(), z.array(partSchema)),
  /** Files of a folder output (a model). */
  files: z.array(fileRefSchema),
  counts: countsSchema,
  /** Facts of the content that later stages need, e.g. the CWEs trained on, licences, metrics. */
  facts: z.record(z.string(), z.json()),
  /** The fields that made the fingerprint, so that a reader can see what it stands for. */
  fingerprintOf: z.record(z.string(), z.json()),
  inputs: z.array(z.strictObject({ name: z.string(), uri: z.string(), contentSha256: sha256Schema })),
  usage: usageSchema,
  seconds: z.number().nonnegative(),
  createdAt: z.iso.datetime(),
  createdBy: ownerSchema,
  epoch: z.int().positive(),
});
export type Manifest = z.infer<typeof manifestSchema>;

const headBase = { epoch: z.int().positive(), owner: ownerSchema, updatedAt: z.iso.datetime() };

/** `head.json` of an artefact: who writes it now, or what was published. */
export const artifactHeadSchema = z.discriminatedUnion('state', [
  z.strictObject({ ...headBase, state: z.literal('building') }),
  z.strictObject({
    ...headBase,
    state: z.literal('published'),
    manifest: blobRefSchema.extend({ key: z.string() }),
  }),
]);
export type ArtifactHead = z.infer<typeof artifactHeadSchema>;

/** The whole state of a training at a step. */
export const checkpointManifestSchema = z.strictObject({
  step: z.int().positive(),
  epoch: z.int().positive(),
  files: z.array(fileRefSchema),
  /** Held-out loss at this step, nats per token; null where it was not measured. */
  evalLoss: z.number().nullable().default(null),
  /** Times that a divergence was rolled back before this state: the learning rate is smaller by so many factors. */
  rollbacks: z.int().nonnegative().default(0),
  /** The last step of the training: only the export is left. */
  final: z.boolean().default(false),
  createdAt: z.iso.datetime(),
});
export type CheckpointManifest = z.infer<typeof checkpointManifestSchema>;

/** `head.json` of a training: its writer and the checkpoints it published, oldest first. */
export const trainingHeadSchema = z.strictObject({
  ...headBase,
  checkpoints: z.array(
    z.strictObject({
      step: z.int().positive(),
      epoch: z.int().positive(),
      key: z.string(),
      sha256: sha256Schema,
      evalLoss: z.number().nullable().default(null),
      final: z.boolean().default(false),
    }),
  ),
});
export type TrainingHead = z.infer<typeof trainingHeadSchema>;
