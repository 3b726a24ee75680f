/** The attempts at a training as the store keeps them: heartbeats and signals can be lost with their host. */
import { z } from 'zod';
import type { TrainingRecord } from '../contract/activities.ts';
import { checkpointManifestSchema } from '../contract/manifest.ts';
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
export async function readAttempts({ objects }: Store, id: string): Promise<AttemptRecord[]> {
  const read = async <T>(key: string, schema: z.ZodType<T>): Promise<T | null> => {
    const found = await objects.get(key);
    return found === null ? null : schema.parse(JSON.parse(found.bytes.toString()));
  };
  const epochs: number[] = [];
  for await (const { key } of objects.list(trainingAttemptsPrefix(id))) {
    const epoch = /e(\d+)-start\.json$/u.exec(key)?.[1];
    if (epoch !== undefined) epochs.push(Number(epoch));
  }
  return await Promise.all(
    epochs.map(async (epoch) => {
      const start = await read(trainingAttemptKey(id, epoch, 'start'), startSchema);
      const firstStep = await read(trainingAttemptKey(id, epoch, 'firstStep'), firstStepSchema);
      const { owner: _, ...told } = startSchema.parse(start);
      return { epoch, ...told, ...(firstStep ?? notReached) };
    }),
  );
}

const notReached = { toFirstStepSeconds: null, dataSeconds: null, importSeconds: null, loadSeconds: null };

export async function readTraining(
  { objects, trainings }: Store,
  { fingerprint }: { readonly fingerprint: string },
): Promise<TrainingRecord> {
  const newest = (await trainings.list(fingerprint)).at(-1);
  if (newest === undefined) return { newestCheckpoint: 0, rollbacks: 0 };
  const manifest = await objects.get(newest.key);
  // A damaged manifest is found, and told, by the attempt that resumes.
  const parsed = checkpointManifestSchema.safeParse(
    manifest === null ? null : JSON.parse(manifest.bytes.toString()),
  );
  return { newestCheckpoint: newest.step, rollbacks: parsed.data?.rollbacks ?? 0 };
}
