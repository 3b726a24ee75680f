/** What the tests of fine-tuning share: traces of the embedded rows, a small training, and what the store lists of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointManifestSchema, trainingHeadSchema } from '../../src/contract/manifest.ts';
import type { z } from 'zod';
import type { FineTuneResult, StageResult } from '../../src/contract/workflows.ts';
import { makeTinyModel, pythonPath, quickRecipe, startTestStack, type TestStack } from './stack.ts';

export type Settings = Readonly<Record<string, unknown>>;
export type TrainingHead = z.infer<typeof trainingHeadSchema>;

/** Checkpoints are far enough apart for their uploads to keep up on two busy cores. */
export const INTERVAL = 10;
export const STEPS = 60;

export interface TrainStack extends TestStack {
  readonly traces: string;
  /** A training of a second or two; `changes` are laid over it. */
  readonly finetune: Settings;
  /** Starts `fineTune` under this id, as a user types it; never reuses another's model unless told so. */
  train(id: string, changes?: Settings, reuse?: 'always' | 'never'): Promise<void>;
  result(id: string): Promise<FineTuneResult>;
}

export async function startTrainStack(): Promise<TrainStack> {
  const stack = await startTestStack();
  try {
    await stack.startWorker(['control', 'data']);
    const [model, traces] = await Promise.all([makeTinyModel(stack.dir), makeTraces(stack)]);
    const python = await writeOneThreadPython(stack.dir);
    const finetune: Settings = {
      model: { uri: model, license: 'none' },
      lora: { rank: 4, alpha: 8 },
      epochs: 20,
      maxSteps: STEPS,
      batchRows: 4,
      microBatchRows: 4,
      learningRate: 0.001,
      maxSequenceTokens: 2048,
      precision: 'fp32',
      checkpointEverySteps: INTERVAL,
      guard: null,
      seed: 3,
    };
    return {
      ...stack,
      startWorker: async (kinds, env = {}, flags = []) =>
        await stack.startWorker(kinds, { SECPI_PYTHON: python, ...env }, flags),
      traces,
      finetune,
      train: async (id, changes = {}, reuse = 'never') =>
        await stack.startByCli('fineTune', id, {
          version: 1,
          traces,
          finetune: { ...finetune, ...changes },
          reuse,
        }),
      result: async (id) => (await stack.client.workflow.getHandle(id).result()) as FineTuneResult,
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Trainers of tiny models on the same few cores: threads that spin for each other would take most of them. */
async function writeOneThreadPython(dir: string): Promise<string> {
  const path = join(dir, 'python');
  await writeFile(path, `#!/bin/sh\nOMP_NUM_THREADS=1 exec "${pythonPath()}" "$@"\n`, { mode: 0o755 });
  return path;
}

/** Filters and distils the embedded rows through the recorded teacher; returns the uri of the traces. */
export async function makeTraces(stack: TestStack): Promise<string> {
  const { dataset, filter, distill } = await quickRecipe();
  const result = async (id: string): Promise<StageResult> =>
    (await stack.client.workflow.getHandle(id).result()) as StageResult;
  await stack.startByCli('filterDataset', 'filter', { version: 1, dataset, filter });
  const { uri: filtered } = (await result('filter')).artifact;
  // No sandbox runs here.
  const settings = { ...distill, oracles: { tests: 'off' } };
  await stack.startByCli('distillTraces', 'distil', { version: 1, filtered, distill: settings });
  return (await result('distil')).artifact.uri;
}

/** The head of the training that a workflow writes; null before it has claimed one. */
export async function trainingHead(
  { store }: TestStack,
  workflowId: string,
): Promise<(TrainingHead & { readonly fingerprint: string }) | null> {
  for await (const { key } of store.objects.list('trainings/')) {
    const fingerprint = /^trainings\/([0-9a-f]{64})\/head\.json$/.exec(key)?.[1];
    const found = fingerprint === undefined ? null : await store.objects.get(key);
    if (fingerprint === undefined || found === null) continue;
    const head = trainingHeadSchema.parse(JSON.parse(found.bytes.toString()));
    if (head.owner.workflowId === workflowId) return { ...head, fingerprint };
  }
  return null;
}

/** Steps of the checkpoints that the store lists, oldest first. */
export async function publishedSteps(stack: TestStack, workflowId: string): Promise<number[]> {
  return (await trainingHead(stack, workflowId))?.checkpoints.map(({ step }) => step) ?? [];
}

/** The blob of a checkpoint's metrics: they hold wall times, so no other training's upload can put it back. */
export async function metricsBlobOf({ store }: TestStack, manifestKey: string): Promise<string> {
  const found = await store.objects.get(manifestKey);
  const { files } = checkpointManifestSchema.parse(JSON.parse(found?.bytes.toString() ?? 'null'));
  const metrics = files.find(({ path }) => path === 'metrics.jsonl');
  if (metrics === undefined) throw new Error(`no metrics in ${manifestKey}`);
  return metrics.sha256;
}
