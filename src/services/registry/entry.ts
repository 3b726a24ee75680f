/** What the registry keeps under a name: an entry for each version, and which one is current. */
import { z } from 'zod';
import { artifactRefSchema, blobRefSchema, sha256Schema } from '../../contract/refs.ts';

/** Who registered or promoted: a run of Temporal, or a person at a command line. */
export const actorSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), workflowId: z.string(), runId: z.string() }),
  z.strictObject({ kind: z.literal('person'), name: z.string() }),
]);
export type Actor = z.infer<typeof actorSchema>;

export const baseModelSchema = z.strictObject({
  /** As the recipe named it. */
  uri: z.string(),
  /** Commit or tag of a hub model; null for others. */
  revision: z.string().nullable(),
  contentSha256: sha256Schema,
  license: z.string(),
});

/** A dataset at the end of the chain of inputs. */
export const sourceDatasetSchema = z.strictObject({
  name: z.string(),
  license: z.string(),
  /** Null where the chain ends before a dataset artefact, and only its name is known. */
  uri: z.string().nullable(),
  contentSha256: sha256Schema.nullable(),
});
export type SourceDataset = z.infer<typeof sourceDatasetSchema>;

export const lineageSchema = z.strictObject({
  /** The settings that decided the weights, as the fingerprint of the training holds them. */
  settings: z.record(z.string(), z.json()),
  settingsSha256: sha256Schema,
  traces: z.strictObject({
    uri: z.string(),
    contentSha256: sha256Schema,
    /** Null where the artefact of the traces does not tell, or is gone. */
    teacher: z.string().nullable(),
    /** True in an ablation that trains on the teacher's whole prompt, security text included. */
    promptKept: z.boolean().nullable(),
  }),
  datasets: z.array(sourceDatasetSchema),
  /** Of the tokenizer that the losses were measured with; null where the model has no tokenizer.json. */
  tokenizerSha256: sha256Schema.nullable(),
  code: z.strictObject({
    /** TRAIN_CODE_VERSION of the training. */
    train: z.int(),
    /** Version of this package at registration. */
    package: z.string(),
    /** The trainer's libraries, by name. */
    libraries: z.record(z.string(), z.string()),
  }),
  /** How it went, where that is more than the settings tell; null is not known. */
  course: z.strictObject({
    /** Name of the GPU, or "cpu". */
    device: z.string().nullable(),
    precision: z.string().nullable(),
    /** A divergence was rolled back so often, each time with a smaller learning rate. */
    rollbacks: z.int().nonnegative().nullable(),
    /** The step whose weights these are, where somebody ended the training before its last. */
    stoppedEarlyAtStep: z.int().nullable(),
  }),
});
export type Lineage = z.infer<typeof lineageSchema>;

/** Losses are nats per token; null is not measured. */
export const modelMetricsSchema = z.strictObject({
  evalLossBefore: z.number().nullable(),
  evalLossAfter: z.number().nullable(),
  guardLossBefore: z.number().nullable(),
  guardLossAfter: z.number().nullable(),
  steps: z.int().nonnegative(),
  /** Tokens of one pass over the training rows. */
  trainTokens: z.int().nonnegative().nullable(),
});
export type ModelMetrics = z.infer<typeof modelMetricsSchema>;

export const modelEntrySchema = z.strictObject({
  name: z.string(),
  version: z.int().positive(),
  artifact: artifactRefSchema,
  /** Of the model's files: one content is entered once under a name. */
  contentSha256: sha256Schema,
  base: baseModelSchema,
  lineage: lineageSchema,
  metrics: modelMetricsSchema,
  /** Whether there is an adapter beside the merged weights. */
  hasAdapter: z.boolean(),
  /** The model card (Markdown), made from the rest of the entry. */
  card: blobRefSchema,
  createdAt: z.iso.datetime(),
  createdBy: actorSchema,
});
export type ModelEntry = z.infer<typeof modelEntrySchema>;

/** An entry before it has a place and a card. */
export type ModelDescription = Omit<ModelEntry, 'version' | 'card'>;
/** What a card is written from. */
export type CardSubject = Omit<ModelEntry, 'card'>;

export const currentSchema = z.strictObject({
  version: z.int().positive(),
  promotedAt: z.iso.datetime(),
  by: actorSchema,
  /** The version that was current before; null for the first. */
  previous: z.int().positive().nullable(),
});
export type Current = z.infer<typeof currentSchema>;
