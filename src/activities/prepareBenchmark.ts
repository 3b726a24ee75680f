/** What a benchmark asks, published by a worker that has its files: generation and reports need the store alone. */
import type { PreparedBenchmark, SandboxActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { EvaluateSettings } from '../contract/recipe.ts';
import { benchmarkTaskRowSchema, type BenchmarkTaskRow } from '../contract/rows.ts';
import type { References } from '../contract/summary.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { BenchmarkDriver } from '../services/benchmarks/driver.ts';
import { proveReferences } from '../services/benchmarks/references.ts';
import { createVerdictCache } from '../services/benchmarks/verdictCache.ts';
import { hashRows, readRows, writeRows, type Store } from '../services/store/index.ts';
import { publishArtifact, takeArtifact } from './artefactStage.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';
import type { SandboxHost } from './sandboxHost.ts';

type Input<Name extends keyof SandboxActivities> = Parameters<SandboxActivities[Name]>[0];

const MIB = 1024 ** 2;

export async function prepareBenchmark(
  { store }: Deps,
  run: ActivityRun,
  openHost: () => Promise<SandboxHost>,
  { name, evaluate, field }: Input<'prepareBenchmark'>,
): Promise<PreparedBenchmark> {
  try {
    const driver = await (await openHost()).driver(name, evaluate, field);
    const tasks = wantedTasks(driver, evaluate, field);
    return {
      status: 'ready',
      name,
      artifact: await publishTasks(store, run, driver, tasks),
      tasks: tasks.length,
    };
  } catch (error) {
    if (!isUnavailable(error) || !evaluate.skipUnavailable.includes(name)) throw error;
    return { status: 'skipped', name, reason: error.problem };
  }
}

function isUnavailable(error: unknown): error is SecpiError {
  return error instanceof SecpiError && error.code === 'BENCHMARK_UNAVAILABLE';
}

/** The denominator: nothing is left out of it because this machine lacks a tool. */
function wantedTasks(
  { name, tasks, ungradable }: BenchmarkDriver,
  { languages }: EvaluateSettings,
  field: string,
): BenchmarkTaskRow[] {
  const wanted = tasks.filter(({ language }) => languages.length === 0 || languages.includes(language));
  if (wanted.length === 0) {
    const has = [...new Set(tasks.map(({ language }) => language))].join(', ');
    throw new SecpiError(
      'BENCHMARK_UNAVAILABLE',
      `${name} has no task in ${languages.join(', ')}; it has ${has}.`,
      {
        field: 'evaluate.languages',
        remedy: 'Correct evaluate.languages, or leave it empty for all.',
      },
    );
  }
  const missing = new Set(wanted.flatMap(({ taskId }) => ungradable.get(taskId) ?? []));
  if (missing.size > 0) {
    throw new SecpiError(
      'BENCHMARK_UNAVAILABLE',
      `this worker cannot grade all of ${name}: ${[...missing].join('; ')}.`,
      {
        field,
        remedy: `Install what \`npx secpi doctor ${name === 'guard' ? 'suite' : name}\` names, or choose evaluate.languages.`,
      },
    );
  }
  return wanted.map((task, index) => ({ ...task, index }));
}

async function publishTasks(
  store: Store,
  run: ActivityRun,
  { name, measures, hasUpstreamFigure }: BenchmarkDriver,
  tasks: readonly BenchmarkTaskRow[],
): Promise<string> {
  const contentSha256 = await hashRows(tasks);
  const fields = { stage: 'benchmark', name, measures, tasks: contentSha256 };
  const taken = await takeArtifact(store, run, {
    kind: 'benchmark',
    fields,
    reuse: 'always',
    owner: run.owner,
    stage: 'benchmark',
    sameWork: 'publishes the same benchmark',
  });
  if (taken.status === 'published') return taken.ref.uri;
  const parts = await writeRows(store.blobs, tasks, { rowsPerPart: tasks.length });
  const { result } = await publishArtifact(
    store,
    { ...taken, owner: run.owner },
    {
      kind: 'benchmark',
      contentSha256,
      rows: tasks.length,
      parts: { tasks: parts },
      files: [],
      counts: { tasks: tasks.length },
      facts: { name, measures, hasUpstreamFigure },
      fingerprintOf: fields,
      inputs: [],
      usage: emptyUsage,
      seconds: 0,
    },
  );
  return result.artifact.uri;
}

/** The tasks of a published benchmark. */
export async function readBenchmark(
  store: Store,
  uri: string,
): Promise<{ tasks: BenchmarkTaskRow[]; contentSha256: string; facts: Record<string, unknown> }> {
  const { parts, contentSha256, facts } = await store.artifacts.readByUri(uri);
  const tasks = await Array.fromAsync(
    readRows(store.blobs, parts['tasks'] ?? [], {}, benchmarkTaskRowSchema),
  );
  return { tasks, contentSha256, facts };
}

export async function gradeReferences(
  { store }: Deps,
  run: ActivityRun,
  host: SandboxHost,
  { name, benchmark, evaluate, stage }: Input<'gradeReferences'>,
): Promise<References> {
  const driver = await host.driver(name, evaluate);
  const { tasks } = await readBenchmark(store, benchmark);
  return await proveReferences(driver, tasks, evaluate.references, {
    limits: limitsOf(evaluate),
    lane: host.lane,
    cache: createVerdictCache(store.objects),
    timeoutSalt: run.owner.runId,
    signal: run.signal,
    onWaiting: () => run.beat(),
    onGraded: (done) =>
      run.progress(stage, { note: `${name}: ${done} of ${tasks.length} references graded` }),
  });
}

export function limitsOf({ limits }: EvaluateSettings): { wallMs: number; memoryBytes: number } {
  return { wallMs: limits.wallSeconds * 1000, memoryBytes: limits.memoryMiB * MIB };
}
