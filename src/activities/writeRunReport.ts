/** The run's story in two files: summary.json for programs, report.html for people; in the store under the run. */
import type { RunSummaryInput } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { BlobRef } from '../contract/refs.ts';
import { sampleRowSchema, verdictRowSchema } from '../contract/rows.ts';
import type { Summary, TrainingSummary } from '../contract/summary.ts';
import { summarySchema, trainingSummarySchema } from '../contract/summary.ts';
import type { SecpiResult } from '../contract/workflows.ts';
import { loadBenchmarks } from '../services/benchmarks/load.ts';
import { extractCode } from '../services/benchmarks/suite/extract.ts';
import {
  buildSummary,
  collectDataRows,
  dataSummaryOf,
  renderHtml,
  type EvaluatedModel,
  type ReportedSample,
} from '../services/report/index.ts';
import { readRows, runKey, sha256Hex, type Store } from '../services/store/index.ts';
import type { Deps } from './deps.ts';
import { expectedTasks } from './grade.ts';
import type { ActivityRun } from './runActivity.ts';

export async function writeRunReport(
  deps: Deps,
  run: ActivityRun,
  input: RunSummaryInput,
): Promise<SecpiResult> {
  const { store, paths } = deps;
  const { recipe } = input;
  const [benchmark] = await loadBenchmarks(recipe.evaluate.benchmarks, paths.suiteDir);
  if (benchmark === undefined)
    throw new SecpiError('INTERNAL', 'a run without a benchmark came to its report.');
  const read = async (uri: string): Promise<Manifest> => await store.artifacts.readByUri(uri);
  const [filter, traces, model, base, tuned] = await Promise.all([
    read(input.filter.artifact.uri),
    read(input.distill.artifact.uri),
    read(input.fineTune.artifact.uri),
    readEvaluation(store, input.base.artifact.uri, input.base.generation.uri),
    readEvaluation(store, input.tuned.artifact.uri, input.tuned.generation.uri),
  ]);
  const evaluated = (source: string, { verdicts }: Evaluation): EvaluatedModel => ({
    model: source,
    sampling: recipe.evaluate.sampling,
    verdicts,
  });
  const summary = buildSummary({
    run: {
      workflowId: run.owner.workflowId,
      runId: run.owner.runId,
      recipe: recipe.name,
      startedAt: input.startedAt,
      finishedAt: new Date().toISOString(),
    },
    benchmark: benchmark.name,
    expected: expectedTasks(benchmark, recipe.evaluate.samplesPerTask),
    base: evaluated(recipe.finetune.model.uri, base),
    tuned: evaluated(input.fineTune.artifact.uri, tuned),
    trainedCwes: Object.keys(asRecord(traces.facts['cwes'])),
    training: trainingOf(model),
    data: dataSummaryOf(filter, traces),
    usage: { classifier: input.filter.usage, teacher: input.distill.usage },
    stages: input.stages.map(({ name, artifact, seconds, reused, rows }) => ({
      name,
      artefact: artifact,
      seconds,
      reused,
      rows,
      costUsd: costOf(name, reused, input),
    })),
    counts: { filter: input.filter.counts, distil: input.distill.counts, 'fine-tune': input.fineTune.counts },
    versions: {
      ...stringsOf(model.facts['versions']),
      suite: benchmark.contentSha256.slice(0, 12),
      prompts: benchmark.promptsSha256.slice(0, 12),
    },
  });
  const tasks = new Map(benchmark.tasks.map((task) => [task.id, task]));
  const samples = (name: 'base' | 'tuned', { verdicts, replies }: Evaluation): ReportedSample[] =>
    verdicts.map((verdict) => {
      const task = tasks.get(verdict.taskId);
      const reply = replies.get(verdict.index) ?? null;
      const code =
        task === undefined || reply === null ? null : extractCode(reply, task.language, task.entryPoint).code;
      return { model: name, verdict, prompt: task?.message ?? '', reply, code };
    });
  const html = await renderHtml(
    summary,
    [...samples('base', base), ...samples('tuned', tuned)],
    await collectDataRows(store, filter, traces),
  );
  const summaryRef = await publish(
    store,
    run,
    'summary.json',
    `${JSON.stringify(summarySchema.parse(summary), null, 2)}\n`,
  );
  const reportRef = await publish(store, run, 'report.html', html);
  return {
    summary: summaryRef,
    report: reportRef,
    costUsd: summary.costUsd,
    reusedStages: input.stages.filter(({ reused }) => reused).map(({ name }) => name),
  };
}

interface Evaluation {
  readonly verdicts: EvaluatedModel['verdicts'];
  /** By the sample's index. */
  readonly replies: ReadonlyMap<number, string | null>;
}

async function readEvaluation(
  store: Store,
  evaluationUri: string,
  generationUri: string,
): Promise<Evaluation> {
  const [evaluation, generation] = await Promise.all([
    store.artifacts.readByUri(evaluationUri),
    store.artifacts.readByUri(generationUri),
  ]);
  const verdicts = await Array.fromAsync(
    readRows(store.blobs, evaluation.parts['verdicts'] ?? [], {}, verdictRowSchema),
  );
  const replies = new Map<number, string | null>();
  for await (const { index, reply } of readRows(
    store.blobs,
    generation.parts['samples'] ?? [],
    {},
    sampleRowSchema,
  ))
    replies.set(index, reply);
  return { verdicts, replies };
}

/** What a reused stage cost was paid by another run. */
function costOf(name: string, reused: boolean, { filter, distill }: RunSummaryInput): number {
  if (reused) return 0;
  if (name === 'filter') return filter.usage.costUsd;
  return name === 'distil' ? distill.usage.costUsd : 0;
}

function trainingOf(model: Manifest): TrainingSummary {
  const { lossCurve, evalLossBefore, evalLossAfter, logitsMaxAbsDiff, resumedFromSteps } = model.facts;
  return trainingSummarySchema.parse({
    lossCurve,
    evalLossBefore,
    evalLossAfter,
    logitsMaxAbsDiff,
    steps: model.rows,
    rows: model.counts['trainRows'],
    resumedFromSteps: resumedFromSteps ?? [],
  });
}

/** A blob by content, and the same bytes under the run's own key, where people look. */
async function publish(
  store: Store,
  run: ActivityRun,
  file: string,
  text: string,
): Promise<Pick<BlobRef, 'uri' | 'sha256'>> {
  const bytes = Buffer.from(text);
  await store.blobs.putBytes(bytes);
  const key = runKey(run.owner.workflowId, run.owner.runId, file);
  const written = await store.objects.putIfAbsent(key, bytes);
  // An earlier attempt, whose answer was lost, wrote it with another time of day: its bytes hold.
  const holding = written === 'conflict' ? ((await store.objects.get(key))?.bytes ?? bytes) : bytes;
  return { uri: store.objects.uriOf(key), sha256: sha256Hex(holding) };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function stringsOf(value: unknown): Summary['versions'] {
  return Object.fromEntries(
    Object.entries(asRecord(value)).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text]] : [],
    ),
  );
}
