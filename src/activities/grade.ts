/** The evaluation artefact of one benchmark: a verdict for every sample that was asked for, and the scores. */
import { z } from 'zod';
import type {
  Busy,
  GradedResult,
  Grading,
  OpenedGrading,
  SandboxActivities,
  ShardResult,
} from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { AnalyserName } from '../contract/benchmarkNames.ts';
import { SecpiError } from '../contract/errors.ts';
import {
  sampleRowSchema,
  verdictRowSchema,
  type AnalyserOpinion,
  type BenchmarkTaskRow,
} from '../contract/rows.ts';
import { referencesSchema, scoreSchema, type Score } from '../contract/summary.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { BenchmarkDriver } from '../services/benchmarks/driver.ts';
import { gradeReplies, type ReplyToGrade } from '../services/benchmarks/gradeReplies.ts';
import { toVerdict } from '../services/benchmarks/toVerdict.ts';
import { createVerdictCache, type Graded } from '../services/benchmarks/verdictCache.ts';
import { defaultBootstrap, scoreGroup, tallyVerdicts } from '../services/metrics/index.ts';
import { hashRows, readRows } from '../services/store/index.ts';
import {
  collectShards,
  earlierShard,
  keepShard,
  publishArtifact,
  resultOf,
  shardRowsOf,
  takeAgain,
  tryToTake,
  type FingerprintFields,
  type TakeRequest,
} from './artefactStage.ts';
import type { Deps } from './deps.ts';
import { limitsOf, readBenchmark } from './prepareBenchmark.ts';
import type { ActivityRun } from './runActivity.ts';
import type { SandboxHost } from './sandboxHost.ts';

type Input<Name extends keyof SandboxActivities> = Parameters<SandboxActivities[Name]>[0];

/** Raised by hand when the same grades give other rows. */
const GRADE_CODE_VERSION = 3;

export async function openEvaluation(
  { store }: Deps,
  run: ActivityRun,
  host: SandboxHost,
  grading: Input<'openEvaluation'>,
): Promise<OpenedGrading | Busy> {
  const { evaluate, reuse, stage } = grading;
  const generation = await store.artifacts.readByUri(grading.generation);
  const driver = await host.driver(grading.name, evaluate);
  const fields = await fingerprintFields(store, grading, generation, driver);
  const taken = await tryToTake(store, run, takeRequest(run, fields, { reuse, stage }));
  if (taken.status === 'busy') return { status: 'busy', heldBy: taken.owner.workflowId };
  if (taken.status === 'published') {
    const base = resultOf(taken.ref, taken.manifest, true);
    return { status: 'published', result: gradedResult(base, taken.manifest, grading) };
  }
  return {
    ...taken,
    note: '',
    versions: { ...driver.versions },
    rows: generation.rows,
    shards: Math.ceil(generation.rows / evaluate.gradeShardSamples),
  };
}

function takeRequest(
  run: ActivityRun,
  fields: FingerprintFields,
  { reuse, stage }: Pick<Input<'openEvaluation'>, 'reuse' | 'stage'>,
): TakeRequest {
  return { kind: 'evaluation', fields, reuse, owner: run.owner, stage, sameWork: 'grades the same samples' };
}

async function fingerprintFields(
  store: Deps['store'],
  { name, benchmark, evaluate }: Grading,
  generation: Manifest,
  { versions }: BenchmarkDriver,
): Promise<FingerprintFields> {
  const { limits, gradeShardSamples, analysers, references, k } = evaluate;
  return {
    stage: 'grade',
    codeVersion: GRADE_CODE_VERSION,
    generation: generation.contentSha256,
    benchmark: name,
    tasks: (await store.artifacts.readByUri(benchmark)).contentSha256,
    versions: { ...versions },
    limits,
    gradeShardSamples,
    analysers,
    k,
    referenceRepeats: references.repeats,
  };
}

export async function gradeShard(
  deps: Deps,
  run: ActivityRun,
  host: SandboxHost,
  task: Input<'gradeShard'>,
): Promise<ShardResult> {
  const { store } = deps;
  const { evaluate, name } = task;
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
  const driver = await host.driver(name, evaluate);
  const tasks = new Map((await readBenchmark(store, task.benchmark)).tasks.map((row) => [row.taskId, row]));
  requireSame(driver, task.versions, [...tasks.values()]);
  const asked = samples.map((sample) => ({ sample, task: taskOf(tasks, sample.taskId) }));
  const replied = asked.flatMap(({ sample, task: row }) =>
    sample.reply === null ? [] : [{ index: sample.index, task: row, reply: sample.reply }],
  );
  const graded = await gradeReplies(driver, replied, {
    limits: limitsOf(evaluate),
    lane: host.lane,
    cache: createVerdictCache(store.objects),
    salt: task.reuse === 'never' ? run.owner.runId : '',
    timeoutSalt: run.owner.runId,
    signal: run.signal,
    onGraded: (done) => run.beat(`${done} of ${replied.length} samples graded`),
    onWaiting: () => run.beat(),
  });
  const opinions = await opinionsOn(host, run, evaluate.analysers, replied, graded);
  const byIndex = new Map(replied.map(({ index }, position) => [index, position]));
  const verdicts = asked.map(({ sample, task: row }) => {
    const position = byIndex.get(sample.index) ?? -1;
    return toVerdict(row, sample, graded[position] ?? null, opinions[position] ?? []);
  });
  return await keepShard(store, place, startedMs, {
    lists: { verdicts },
    counts: {
      rows: samples.length,
      unknown: verdicts.filter(({ unknown }) => unknown).length,
      retried: verdicts.filter(({ attempts }) => attempts > 1).length,
    },
    usage: emptyUsage,
  });
}

/** One evaluation is one benchmark with one set of tools: a worker that has others leaves the shard to the next. */
function requireSame(
  driver: BenchmarkDriver,
  versions: Readonly<Record<string, string>>,
  tasks: readonly BenchmarkTaskRow[],
): void {
  const own = new Map(driver.tasks.map((task) => [task.taskId, task.testsSha256]));
  const differing = [
    ...Object.keys({ ...versions, ...driver.versions }).filter(
      (name) => versions[name] !== driver.versions[name],
    ),
    ...tasks.flatMap(({ taskId, testsSha256 }) => (own.get(taskId) === testsSha256 ? [] : [taskId])),
  ];
  if (differing.length === 0) return;
  throw new SecpiError(
    'BENCHMARK_UNAVAILABLE',
    `this worker has another ${differing.slice(0, 5).join(', ')} than the one that began to grade ${driver.name}.`,
    { remedy: 'Give all sandbox workers the same checkout and tools, and start this one again.' },
  );
}

/** A second opinion on every program, by its position; none where there is no code. */
async function opinionsOn(
  host: SandboxHost,
  { signal }: ActivityRun,
  names: readonly AnalyserName[],
  replied: readonly ReplyToGrade[],
  graded: readonly Graded[],
): Promise<AnalyserOpinion[][]> {
  const programs = graded.flatMap(({ grade: { code } }, position) =>
    code === null ? [] : [{ position, code, language: replied[position]?.task.language ?? '' }],
  );
  const judged = await (await host.opinions(names)).judgeMany(programs, signal);
  const opinions = graded.map((): AnalyserOpinion[] => []);
  for (const [index, { position }] of programs.entries()) opinions[position] = judged[index] ?? [];
  return opinions;
}

function taskOf(tasks: ReadonlyMap<string, BenchmarkTaskRow>, taskId: string): BenchmarkTaskRow {
  const found = tasks.get(taskId);
  if (found === undefined)
    throw new Error(`the generation has a sample of ${taskId}, which the benchmark has not`);
  return found;
}

export async function publishEvaluation(
  { store }: Deps,
  run: ActivityRun,
  host: SandboxHost,
  input: Input<'publishEvaluation'>,
): Promise<GradedResult> {
  const { evaluate, name, references } = input;
  const generation = await store.artifacts.readByUri(input.generation);
  const driver = await host.driver(name, evaluate);
  const { tasks } = await readBenchmark(store, input.benchmark);
  requireSame(driver, input.versions, tasks);
  const fields = await fingerprintFields(store, input, generation, driver);
  const taken = await takeAgain(
    store,
    run,
    takeRequest(run, fields, { reuse: input.reuse, stage: 'evaluate' }),
  );
  if (taken.status === 'published')
    return gradedResult(resultOf(taken.ref, taken.manifest, false), taken.manifest, input);
  const { fingerprint, epoch } = taken;
  const { missing } = await host.opinions(evaluate.analysers);
  const shards = await collectShards(store, 'evaluation', fingerprint, input.shards);
  const parts = shards.parts('verdicts');
  const verdicts = await Array.fromAsync(readRows(store.blobs, parts, {}, verdictRowSchema));
  const { promptVariants: variants, samplesPerTask, k } = evaluate;
  const tallies = tallyVerdicts({ benchmark: name, tasks, samplesPerTask, variants }, verdicts);
  const [headline = []] = tallies.values();
  const all = scoreGroup(headline, driver.measures, { ...defaultBootstrap, k });
  const { result, manifest } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: 'evaluation',
      // Logs hold times and temporary paths, and how often a busy machine had to try: equal verdicts, equal hash.
      contentSha256: await hashRows(verdicts.map(({ log: _, attempts: __, ...verdict }) => verdict)),
      rows: verdicts.length,
      parts: { verdicts: parts },
      files: [],
      counts: shards.counts,
      facts: {
        benchmark: name,
        measures: driver.measures,
        func: all.func,
        secure: all.secure,
        funcSec: all.funcSec,
        unknown: all.unknown,
        missing: all.missing,
        references,
        versions: { ...driver.versions },
        missingAnalysers: missing.map(({ name: analyser, remedy }) => `${analyser}: ${remedy}`),
      },
      fingerprintOf: fields,
      inputs: [
        { name: 'generation', uri: input.generation, contentSha256: generation.contentSha256 },
        {
          name: 'benchmark',
          uri: input.benchmark,
          contentSha256: (await store.artifacts.readByUri(input.benchmark)).contentSha256,
        },
      ],
      usage: emptyUsage,
      seconds: shards.seconds,
    },
  );
  return gradedResult(result, manifest, input);
}

function gradedResult(
  base: ReturnType<typeof resultOf>,
  { facts }: Manifest,
  { name, benchmark }: Grading,
): GradedResult {
  const score = (of: string): Score => scoreSchema.parse(facts[of]);
  const security = facts['measures'] !== 'function';
  return {
    ...base,
    name,
    benchmark,
    func: score('func'),
    secure: security ? score('secure') : null,
    funcSec: security ? score('funcSec') : null,
  };
}

const provenanceSchema = z.object({
  references: referencesSchema,
  versions: z.record(z.string(), z.string()),
  missingAnalysers: z.array(z.string()).default([]),
});

/** What `publishEvaluation` noted of the references and tools. */
export function provenanceOf({ facts }: Manifest): z.infer<typeof provenanceSchema> {
  return provenanceSchema.parse(facts);
}
