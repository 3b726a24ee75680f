/** The evaluation artefact: a verdict for every sample that was asked for, and the scores. */
import type {
  Busy,
  GradedResult,
  OpenedStage,
  SandboxActivities,
  ShardResult,
} from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { EvaluateSettings } from '../contract/recipe.ts';
import { sampleRowSchema, verdictRowSchema, type VerdictRow } from '../contract/rows.ts';
import { scoreSchema, type Score } from '../contract/summary.ts';
import { emptyUsage } from '../contract/usage.ts';
import { gradeSample, GRADE_CODE_VERSION } from '../services/benchmarks/gradeSample.ts';
import { loadBenchmarks, type Benchmark } from '../services/benchmarks/load.ts';
import { defaultBootstrap, scoreModel, tallyVerdicts, type ExpectedTask } from '../services/metrics/index.ts';
import { hashRows, readRows } from '../services/store/index.ts';
import {
  collectShards,
  earlierShard,
  keepShard,
  publishArtifact,
  resultOf,
  shardRowsOf,
  tryToTake,
  type FingerprintFields,
} from './artefactStage.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';
import type { SandboxHost } from './sandboxHost.ts';

type Input<Name extends keyof SandboxActivities> = Parameters<SandboxActivities[Name]>[0];

export async function openEvaluation(
  { store, paths }: Deps,
  run: ActivityRun,
  { toolchain }: SandboxHost,
  { generation: uri, stage, evaluate, reuse }: Input<'openEvaluation'>,
): Promise<OpenedStage<GradedResult> | Busy> {
  const generation = await store.artifacts.readByUri(uri);
  const benchmarks = await loadBenchmarks(evaluate.benchmarks, paths.suiteDir);
  const taken = await tryToTake(store, run, {
    kind: 'evaluation',
    fields: fingerprintFields(generation, benchmarks, evaluate, toolchain.pythonVersion),
    reuse,
    owner: run.owner,
    stage,
    sameWork: 'grades the same samples',
  });
  if (taken.status === 'busy') return { status: 'busy', heldBy: taken.owner.workflowId };
  if (taken.status === 'published')
    return {
      status: 'published',
      result: gradedResult(resultOf(taken.ref, taken.manifest, true), taken.manifest),
    };
  return {
    ...taken,
    note: '',
    rows: generation.rows,
    shards: Math.ceil(generation.rows / evaluate.gradeShardSamples),
  };
}

function fingerprintFields(
  generation: Manifest,
  benchmarks: readonly Benchmark[],
  { limits, gradeShardSamples }: EvaluateSettings,
  python: string,
): FingerprintFields {
  return {
    stage: 'grade',
    codeVersion: GRADE_CODE_VERSION,
    generation: generation.contentSha256,
    benchmarks: benchmarks.map(({ name, contentSha256 }) => [name, contentSha256]),
    limits,
    gradeShardSamples,
    python,
  };
}

export async function gradeShard(
  { store, paths }: Deps,
  run: ActivityRun,
  host: SandboxHost,
  task: Input<'gradeShard'>,
): Promise<ShardResult> {
  const { evaluate } = task;
  const place = { ...task, kind: 'evaluation' } as const;
  const earlier = await earlierShard(store, place);
  if (earlier !== null) return earlier;
  const startedMs = Date.now();
  const generation = await store.artifacts.readByUri(task.generation);
  const samples = await shardRowsOf(
    store,
    generation.parts['samples'],
    { index: task.index, shardRows: evaluate.gradeShardSamples },
    sampleRowSchema,
  );
  const benchmarks = await loadBenchmarks(evaluate.benchmarks, paths.suiteDir);
  const tasks = new Map(
    benchmarks.flatMap((benchmark) =>
      benchmark.tasks.map((entry) => [`${benchmark.name}\n${entry.id}`, entry]),
    ),
  );
  const verdicts: VerdictRow[] = [];
  for (const sample of samples) {
    run.signal.throwIfAborted();
    const entry = tasks.get(`${sample.benchmark}\n${sample.taskId}`);
    if (entry === undefined)
      throw new Error(`the generation has a sample of ${sample.taskId}, which is not in ${sample.benchmark}`);
    verdicts.push(
      await gradeSample({ ...host, task: entry, sample, limits: evaluate.limits, signal: run.signal }),
    );
    run.beat();
  }
  return await keepShard(store, place, startedMs, {
    lists: { verdicts },
    counts: { rows: samples.length, unknown: verdicts.filter(({ unknown }) => unknown).length },
    usage: emptyUsage,
  });
}

export async function publishEvaluation(
  { store, paths }: Deps,
  run: ActivityRun,
  { toolchain }: SandboxHost,
  input: Input<'publishEvaluation'>,
): Promise<GradedResult> {
  const { fingerprint, epoch, evaluate } = input;
  const generation = await store.artifacts.readByUri(input.generation);
  const benchmarks = await loadBenchmarks(evaluate.benchmarks, paths.suiteDir);
  const shards = await collectShards(store, 'evaluation', fingerprint, input.shards);
  const parts = shards.parts('verdicts');
  const verdicts = await Array.fromAsync(readRows(store.blobs, parts, {}, verdictRowSchema));
  const tally = benchmarks.flatMap((benchmark) =>
    tallyVerdicts(
      expectedTasks(benchmark, evaluate.samplesPerTask),
      verdicts.filter((verdict) => verdict.benchmark === benchmark.name),
    ),
  );
  const { all } = scoreModel(tally, null, { ...defaultBootstrap, k: 1 });
  const { result, manifest } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: 'evaluation',
      // Logs hold times and temporary paths: equal verdicts, equal hash.
      contentSha256: await hashRows(verdicts.map(({ log: _, ...verdict }) => verdict)),
      rows: verdicts.length,
      parts: { verdicts: parts },
      files: [],
      counts: shards.counts,
      facts: {
        func: all.func,
        secure: all.secure,
        funcSec: all.funcSec,
        unknown: all.unknown,
        missing: all.missing,
      },
      fingerprintOf: fingerprintFields(generation, benchmarks, evaluate, toolchain.pythonVersion),
      inputs: [{ name: 'generation', uri: input.generation, contentSha256: generation.contentSha256 }],
      usage: emptyUsage,
      seconds: shards.seconds,
    },
  );
  return gradedResult(result, manifest);
}

/** The denominator, fixed by the suite and the recipe before anything is graded. */
export function expectedTasks(benchmark: Benchmark, samples: number): ExpectedTask[] {
  return benchmark.tasks.map(({ id, scenario, cwe }) => ({ taskId: id, scenario, cwe, samples }));
}

function gradedResult(
  base: Omit<GradedResult, 'func' | 'secure' | 'funcSec'>,
  { facts }: Manifest,
): GradedResult {
  const score = (name: string): Score => scoreSchema.parse(facts[name]);
  return { ...base, func: score('func'), secure: score('secure'), funcSec: score('funcSec') };
}
