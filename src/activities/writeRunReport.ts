/** The run's story in three files: summary.json for programs, report.html and report.md for people; in the store under the run. */
import type { RunSummaryInput } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Summary, TrainingSummary } from '../contract/summary.ts';
import { trainingSummarySchema } from '../contract/summary.ts';
import type { SecpiResult } from '../contract/workflows.ts';
import { buildSummary, collectDataRows, dataSummaryOf, renderHtml } from '../services/report/index.ts';
import type { Deps } from './deps.ts';
import { readEvaluations } from './evaluatedBenchmarks.ts';
import { publishReport } from './reportFiles.ts';
import type { ActivityRun } from './runActivity.ts';

export async function writeRunReport(
  { store }: Deps,
  run: ActivityRun,
  input: RunSummaryInput,
): Promise<SecpiResult> {
  const { evaluate } = input;
  const read = async (uri: string): Promise<Manifest> => await store.artifacts.readByUri(uri);
  const [filter, traces, model, evaluated] = await Promise.all([
    read(input.filter.artifact.uri),
    read(input.distill.artifact.uri),
    read(input.fineTune.artifact.uri),
    readEvaluations(store, evaluate, input.base, input.tuned),
  ]);
  const { sampling } = evaluate;
  const summary = buildSummary({
    run: {
      workflowId: run.owner.workflowId,
      runId: run.owner.runId,
      recipe: input.recipe,
      startedAt: input.startedAt,
      finishedAt: new Date().toISOString(),
    },
    labels: { base: 'base', tuned: 'tuned' },
    models: {
      base: { model: input.model, sampling },
      tuned: { model: input.fineTune.artifact.uri, sampling },
    },
    benchmarks: evaluated.benchmarks,
    skipped: input.base.skipped,
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
    versions: stringsOf(model.facts['versions']),
    k: evaluate.k,
  });
  const html = await renderHtml(summary, evaluated.samples, await collectDataRows(store, filter, traces));
  return {
    ...(await publishReport(store, run, summary, html)),
    costUsd: summary.costUsd,
    reusedStages: input.stages.filter(({ reused }) => reused).map(({ name }) => name),
  };
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
