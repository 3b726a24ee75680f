/** Generation of all samples of a model, in fixed batches, through a server that lives as long as this attempt. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Busy, GenerateInput } from '../contract/activities.ts';
import type { StageResult } from '../contract/workflows.ts';
import { loadBenchmarks } from '../services/benchmarks/load.ts';
import { startModelServer } from '../services/generate/modelServer.ts';
import { GENERATE_CODE_VERSION, runGeneration } from '../services/generate/runGeneration.ts';
import { hashParts } from '../services/store/index.ts';
import { localiseModel } from '../services/train/models.ts';
import { deviceEnvironment } from '../services/gpu/slots.ts';
import { pythonEnv } from '../services/train/pythonEnv.ts';
import { collectShards, publishArtifact, resultOf, tryToTake } from './artefactStage.ts';
import { modelOptions, type GpuDeps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

export async function generateSamples(
  deps: GpuDeps,
  run: ActivityRun,
  { model: source, evaluate, reuse, stage }: GenerateInput,
): Promise<StageResult | Busy> {
  const { store, paths } = deps;
  const startedMs = Date.now();
  const model = await localiseModel(source, 'model.uri', { ...modelOptions(deps), signal: run.signal });
  const benchmarks = await loadBenchmarks(evaluate.benchmarks, paths.suiteDir);
  const { samplesPerTask, sampling, batchSamples } = evaluate;
  const fields = {
    stage: 'generate',
    codeVersion: GENERATE_CODE_VERSION,
    model: model.contentSha256,
    prompts: benchmarks.map(({ name, promptsSha256 }) => [name, promptsSha256]),
    samplesPerTask,
    sampling,
    batchSamples,
  };
  const taken = await tryToTake(store, run, {
    kind: 'generation',
    fields,
    reuse,
    owner: run.owner,
    stage,
    sameWork: 'generates the same samples',
  });
  if (taken.status === 'busy') return { status: 'busy', heldBy: taken.owner.workflowId };
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, true);

  const logDir = join(paths.stateDir, 'logs');
  const workDir = join(paths.stateDir, 'generate');
  await Promise.all([mkdir(logDir, { recursive: true }), mkdir(workDir, { recursive: true })]);
  const slot = await deps.gpu.slots.acquire({
    signal: run.signal,
    onWait: () => run.progress(stage, { note: 'waits for a GPU of this host' }),
  });
  let batches: number;
  try {
    batches = await runGeneration({
      fingerprint: taken.fingerprint,
      tasks: benchmarks.flatMap(({ name, tasks }) =>
        tasks.map(({ id, message }) => ({ benchmark: name, id, message })),
      ),
      settings: evaluate,
      store,
      signal: run.signal,
      startServer: async () =>
        await startModelServer({
          pythonPath: paths.pythonPath,
          pythonEnv: {
            ...pythonEnv(paths.trainerSourceDir, deps.environment),
            ...deviceEnvironment(slot.device),
          },
          modelDir: model.dir,
          maxBatch: batchSamples,
          workDir,
          logFile: join(logDir, `serve-${taken.fingerprint.slice(0, 12)}.log`),
          signal: run.signal,
        }),
      onBatch: (done, total, note) => run.progress(stage, { done, total, note: `generating: ${note}` }),
    });
  } finally {
    slot.release();
  }
  const shards = await collectShards(store, 'generation', taken.fingerprint, batches);
  const parts = shards.records.flatMap((record) => record.parts['samples'] ?? []);
  const { result } = await publishArtifact(
    store,
    { ...taken, owner: run.owner },
    {
      kind: 'generation',
      contentSha256: await hashParts(store.blobs, parts),
      rows: parts.reduce((sum, part) => sum + part.rows, 0),
      parts: { samples: parts },
      files: [],
      counts: shards.counts,
      facts: { model: source.uri, modelContentSha256: model.contentSha256, license: model.license },
      fingerprintOf: fields,
      inputs: source.uri.startsWith('s3://')
        ? [{ name: 'model', uri: source.uri, contentSha256: model.contentSha256 }]
        : [],
      usage: shards.usage,
      seconds: (Date.now() - startedMs) / 1000,
    },
  );
  return result;
}
