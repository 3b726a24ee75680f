/** The attempts at a training as the store keeps them: heartbeats and signals can be lost with their host. */
import { z } from 'zod';
import type { TrainingRecord } from '../contract/activities.ts';
import { checkpointManifestSchema, type CheckpointManifest } from '../contract/manifest.ts';
import { ownerSchema, type Owner } from '../contract/refs.ts';
import {
  canonicalJson,
  trainingAttemptKey,
  trainingAttemptsPrefix,
  type Store,
} from '../services/store/index.ts';
import type { AttemptFigures } from '../services/train/training.ts';

const seconds = z.number().nonnegative().nullable();
const startSchema = z.strictObject({
  resumedFromStep: z.int().nonnegative(),
  /** Of a trainer that outlived the attempt before. */
  adopted: z.boolean(),
  startedAt: z.iso.datetime(),
  /** Newer checkpoints that did not read back and were passed over. */
  damaged: z.array(z.strictObject({ step: z.int(), problem: z.string() })),
  owner: ownerSchema,
});
const firstStepSchema = z.strictObject({
  /** From the attempt's start to the end of its first step; model load is part of it. */
  toFirstStepSeconds: seconds,
  /** Training files and checkpoint, then the trainer's libraries, then its data and model. */
  dataSeconds: seconds,
  importSeconds: seconds,
  loadSeconds: seconds,
});

export type AttemptRecord = Omit<z.infer<typeof startSchema>, 'owner'> &
  z.infer<typeof firstStepSchema> & { readonly epoch: number };

export async function recordAttempt(
  { objects }: Store,
  id: string,
  epoch: number,
  owner: Owner,
  figures: AttemptFigures,
): Promise<void> {
  const { resumedFromStep, adopted, damaged, attemptStartedMs, firstStepMs } = figures;
  const start: z.infer<typeof startSchema> = {
    resumedFromStep,
    adopted,
    startedAt: new Date(attemptStartedMs).toISOString(),
    damaged: [...damaged],
    owner,
  };
  await objects.putIfAbsent(trainingAttemptKey(id, epoch, 'start'), Buffer.from(canonicalJson(start)));
  if (firstStepMs === null) return;
  const { dataSeconds, importSeconds, loadSeconds } = figures;
  const firstStep: z.infer<typeof firstStepSchema> = {
    toFirstStepSeconds: (firstStepMs - attemptStartedMs) / 1000,
    dataSeconds,
    importSeconds,
    loadSeconds,
  };
  await objects.putIfAbsent(
    trainingAttemptKey(id, epoch, 'firstStep'),
    Buffer.from(canonicalJson(firstStep)),
  );
}

/** In order of their epochs. */
export async function readAttempts(store: Pick<Store, 'objects'>, id: string): Promise<AttemptRecord[]> {
  const epochs = await startedEpochs(store, id);
  return await Promise.all(
    epochs.map(async (epoch) => {
      const { owner: _, ...told } = await readStart(store, id, epoch);
      const found = await store.objects.get(trainingAttemptKey(id, epoch, 'firstStep'));
      const firstStep =
        found === null ? notReached : firstStepSchema.parse(JSON.parse(found.bytes.toString()));
      return { epoch, ...told, ...firstStep };
    }),
  );
}

async function startedEpochs({ objects }: Pick<Store, 'objects'>, id: string): Promise<number[]> {
  const epochs: number[] = [];
  for await (const { key } of objects.list(trainingAttemptsPrefix(id))) {
    const epoch = /e(\d+)-start\.json$/u.exec(key)?.[1];
    if (epoch !== undefined) epochs.push(Number(epoch));
  }
  return epochs;
}

async function readStart(
  { objects }: Pick<Store, 'objects'>,
  id: string,
  epoch: number,
): Promise<z.infer<typeof startSchema>> {
  const found = await objects.get(trainingAttemptKey(id, epoch, 'start'));
  return startSchema.parse(JSON.parse(found?.bytes.toString() ?? 'null'));
}

const notReached = { toFirstStepSeconds: null, dataSeconds: null, importSeconds: null, loadSeconds: null };

export async function readTraining(
  { objects, trainings }: Store,
  { fingerprint }: { readonly fingerprint: string },
): Promise<TrainingRecord> {
  const checkpoints = await trainings.list(fingerprint);
  const lastEpoch = (await startedEpochs({ objects }, fingerprint)).at(-1);
  const last = lastEpoch === undefined ? null : await readStart({ objects }, fingerprint, lastEpoch);
  const record = { newestCheckpoint: checkpoints.at(-1)?.step ?? 0, lastAdopted: last?.adopted ?? false };
  for (const { key } of checkpoints.toReversed()) {
    const found = await objects.get(key);
    const manifest = found === null ? null : manifestIn(found.bytes);
    if (manifest !== null) return { ...record, rollbacks: manifest.rollbacks };
  }
  return { ...record, rollbacks: 0 };
}

/** Null for a damaged one: the attempt that resumes finds that out, and tells it. */
function manifestIn(bytes: Buffer): CheckpointManifest | null {
  try {
    return checkpointManifestSchema.parse(JSON.parse(bytes.toString()));
  } catch {
    return null;
  }
}
