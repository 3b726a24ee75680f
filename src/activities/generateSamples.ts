/** Generation of all samples of a model, in fixed batches, through a server that lives as long as this attempt. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Busy,
  GeneratedSamples,
  GenerateInput,
  ReadyBenchmark,
  SampleInput,
} from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { EvaluateSettings } from '../contract/recipe.ts';
import type { BenchmarkTaskRow } from '../contract/rows.ts';
import type { StageResult } from '../contract/workflows.ts';
import { createLocalAnswers } from '../services/generate/answerLocally.ts';
import { startModelServer, type ServerEngine } from '../services/generate/modelServer.ts';
import {
  GENERATE_CODE_VERSION,
  runGeneration,
  type AnsweredBatch,
  type Batch,
} from '../services/generate/runGeneration.ts';
import { deviceEnvironment } from '../services/gpu/slots.ts';
import type { HeldSlot } from '../services/gpu/types.ts';
import { hashParts } from '../services/store/index.ts';
import { localiseModel } from '../services/train/models.ts';
import { pythonEnv } from '../services/train/pythonEnv.ts';
import {
  collectShards,
  publishArtifact,
  resultOf,
  tryToTake,
  type FingerprintFields,
} from './artefactStage.ts';
import { modelOptions, type Deps, type GpuDeps } from './deps.ts';
import { readBenchmark } from './prepareBenchmark.ts';
import type { ActivityRun } from './runActivity.ts';

export async function generateSamples(
  deps: GpuDeps,
  run: ActivityRun,
  input: GenerateInput,
): Promise<GeneratedSamples | Busy> {
  const { paths, gpu, environment } = deps;
  const { model: source, evaluate, stage } = input;
  const model = await localiseModel(source, 'model.uri', { ...modelOptions(deps), signal: run.signal });
  const engine = engineOf(evaluate, environment['SECPI_VLLM']);
  const logDir = join(paths.stateDir, 'logs');
  const workDir = join(paths.stateDir, 'generate');
  await Promise.all([mkdir(logDir, { recursive: true }), mkdir(workDir, { recursive: true })]);
  let slot: HeldSlot | null = null;
  const answers = createLocalAnswers({
    sampling: evaluate.sampling,
    signal: run.signal,
    onAnswer: () => run.beat(),
    startServer: async () => {
      // Asked for when something is missing: what is there already needs no GPU.
      slot = await gpu.slots.acquire({
        signal: run.signal,
        onWait: () => run.progress(stage, { note: 'waits for a GPU of this host' }),
      });
      run.progress(stage, { note: 'starting the model server' });
      return await startModelServer({
        engine,
        pythonPath: paths.pythonPath,
        pythonEnv: { ...pythonEnv(paths.trainerSourceDir, environment), ...deviceEnvironment(slot.device) },
        modelDir: model.dir,
        workDir,
        logFile: join(logDir, `serve-${model.contentSha256.slice(0, 12)}.log`),
        signal: run.signal,
      });
    },
  });
  try {
    return await generateEach(deps, run, input, {
      identity: { model: model.contentSha256, engine: engineIdentity(engine) },
      facts: {
        model: source.uri,
        modelContentSha256: model.contentSha256,
        license: model.license,
        engine: engineIdentity(engine),
      },
      inputs: source.uri.startsWith('s3://')
        ? [{ name: 'model', uri: source.uri, contentSha256: model.contentSha256 }]
        : [],
      batchesAtOnce: 1,
      answer: async (batches, fingerprint) =>
        await Promise.all(
          batches.map(async (batch) => await answers.answer(batch, fingerprint.slice(0, 16))),
        ),
    });
  } finally {
    await answers.close();
    (slot as HeldSlot | null)?.release();
  }
}

function engineOf({ server, batchSamples }: EvaluateSettings, vllm: string | undefined): ServerEngine {
  const has = vllm !== undefined && vllm !== '';
  if (server.engine === 'own' || (server.engine === 'auto' && !has))
    return { kind: 'own', maxBatch: batchSamples };
  // Where the recipe insists and the variable is missing, the ordinary name is tried: its failure tells the rest.
  return { kind: 'vllm', command: has ? vllm : 'vllm', arguments: server.vllmArguments };
}

function engineIdentity(engine: ServerEngine): string[] {
  return engine.kind === 'own' ? ['own'] : ['vllm', ...engine.arguments];
}

export interface SampleSource {
  /** What decides the text besides prompts and sampling. */
  readonly identity: FingerprintFields;
  readonly facts: Manifest['facts'];
  readonly inputs: Manifest['inputs'];
  readonly batchesAtOnce: number;
  answer(batches: readonly Batch[], fingerprint: string): Promise<readonly AnsweredBatch[]>;
}

/** Benchmark after benchmark, each an artefact of its own: one that is there already is not generated again. */
export async function generateEach(
  deps: Deps,
  run: ActivityRun,
  { benchmarks, evaluate, reuse, stage }: SampleInput,
  source: SampleSource,
): Promise<GeneratedSamples | Busy> {
  const generations: StageResult[] = [];
  let busy: Busy | null = null;
  for (const benchmark of benchmarks) {
    const { tasks, contentSha256 } = await readBenchmark(deps.store, benchmark.artifact);
    const fields = fieldsOf(evaluate, contentSha256, source);
    const taken = await tryToTake(deps.store, run, {
      kind: 'generation',
      fields,
      reuse,
      owner: run.owner,
      stage,
      sameWork: 'generates the same samples',
    });
    if (taken.status === 'busy') busy ??= { status: 'busy', heldBy: taken.owner.workflowId };
    else if (taken.status === 'published') {
      // Made by this run before it had to wait for another benchmark: paid by it as well.
      const isOwn = taken.manifest.createdBy.runId === run.owner.runId;
      generations.push(resultOf(taken.ref, taken.manifest, !isOwn));
    } else
      generations.push(
        await generateOne(deps, run, {
          benchmark,
          tasks,
          contentSha256,
          fields,
          taken,
          evaluate,
          stage,
          source,
        }),
      );
  }
  // What was made is there when the workflow asks again.
  return busy ?? { status: 'done', generations };
}

function fieldsOf(
  { samplesPerTask, promptVariants, sampling, batchSamples }: EvaluateSettings,
  tasks: string,
  { identity }: SampleSource,
): FingerprintFields {
  return {
    stage: 'generate',
    codeVersion: GENERATE_CODE_VERSION,
    ...identity,
    tasks,
    samplesPerTask,
    promptVariants,
    sampling,
    batchSamples,
  };
}

async function generateOne(
  { store }: Deps,
  run: ActivityRun,
  {
    benchmark,
    tasks,
    contentSha256,
    fields,
    taken,
    evaluate,
    stage,
    source,
  }: {
    readonly benchmark: ReadyBenchmark;
    readonly tasks: readonly BenchmarkTaskRow[];
    readonly contentSha256: string;
    readonly fields: FingerprintFields;
    readonly taken: { readonly fingerprint: string; readonly epoch: number };
    readonly evaluate: EvaluateSettings;
    readonly stage: string;
    readonly source: SampleSource;
  },
): Promise<StageResult> {
  const { fingerprint } = taken;
  const batches = await runGeneration({
    fingerprint,
    tasks,
    settings: evaluate,
    store,
    signal: run.signal,
    batchesAtOnce: source.batchesAtOnce,
    answer: async (group) => await source.answer(group, fingerprint),
    onBatch: (done, total, note) =>
      run.progress(stage, { done, total, note: `generating ${benchmark.name}: ${note}` }),
  });
  const shards = await collectShards(store, 'generation', fingerprint, batches);
  const parts = shards.parts('samples');
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
      facts: { benchmark: benchmark.name, ...source.facts },
      fingerprintOf: fields,
      inputs: [...source.inputs, { name: 'benchmark', uri: benchmark.artifact, contentSha256 }],
      usage: shards.usage,
      seconds: shards.seconds,
    },
  );
  return result;
}
