/** What the variants of an experiment came to, compared, in three files of the experiment's run. */
import type { ControlActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { ExperimentSummary, VariantSummary } from '../contract/experimentSummary.ts';
import { verdictRowSchema, type VerdictRow } from '../contract/rows.ts';
import { summarySchema, type BenchmarkSummary, type Summary } from '../contract/summary.ts';
import type { ExperimentLine, ExperimentResult, VariantOutcome } from '../contract/workflows.ts';
import { buildExperiment, type FinishedVariant } from '../services/experiment/buildExperiment.ts';
import type { GradedVariant } from '../services/experiment/compare.ts';
import { tallyVerdicts } from '../services/metrics/index.ts';
import { renderExperimentHtml, renderExperimentMarkdown } from '../services/report/index.ts';
import { readRows, sha256Hex, type Store } from '../services/store/index.ts';
import type { Deps } from './deps.ts';
import { readBenchmark } from './prepareBenchmark.ts';
import { publishFiles } from './reportFiles.ts';
import type { ActivityRun } from './runActivity.ts';

type ReportInput = Parameters<ControlActivities['writeExperimentReport']>[0];

/** A result of 20 variants stays small. */
const MAX_ERROR_CHARACTERS = 120;

export async function writeExperimentReport(
  { store }: Deps,
  run: ActivityRun,
  { name, description, reference, startedAt, changes, outcomes }: ReportInput,
): Promise<ExperimentResult> {
  const variants: FinishedVariant[] = [];
  for (const outcome of outcomes) {
    run.beat(`reading ${outcome.name}`);
    variants.push(await readVariant(store, outcome, changes[outcome.name] ?? {}));
  }
  const { workflowId, runId } = run.owner;
  const summary = buildExperiment({
    run: { workflowId, runId, experiment: name, startedAt, finishedAt: new Date().toISOString() },
    description,
    reference,
    variants,
  });
  const files = await publishFiles(store, run, {
    summary,
    html: await renderExperimentHtml(summary),
    markdown: renderExperimentMarkdown(summary),
  });
  return {
    ...files,
    reference,
    measure: headlineMeasure(summary),
    variants: summary.variants.map(lineOf),
    costUsd: summary.costUsd,
  };
}

async function readVariant(
  store: Store,
  outcome: VariantOutcome,
  changes: FinishedVariant['changes'],
): Promise<FinishedVariant> {
  const { name, workflowId } = outcome;
  if ('error' in outcome)
    return { name, workflowId, changes, error: outcome.error, costUsd: outcome.costUsd };
  const summary = await readSummary(store, outcome.summary);
  const graded = new Map<string, GradedVariant>();
  for (const benchmark of summary.benchmarks) {
    const found = await readGraded(store, benchmark);
    if (found !== null) graded.set(benchmark.name, found);
  }
  return { name, workflowId, changes, uri: outcome.summary.uri, summary, graded };
}

async function readSummary(
  { objects }: Store,
  { uri, sha256 }: { readonly uri: string; readonly sha256: string },
): Promise<Summary> {
  const found = await objects.get(objects.keyOf(uri) ?? '');
  if (found === null) throw new SecpiError('BLOB_MISSING', `there is no object at ${uri}.`);
  if (sha256Hex(found.bytes) !== sha256)
    throw new SecpiError('BLOB_CORRUPT', `${uri} is not the summary that the variant wrote.`);
  return summarySchema.parse(JSON.parse(found.bytes.toString()));
}

/** Counts by task; null where the tuned model was not evaluated on it. */
async function readGraded(
  store: Store,
  { name, measures, models: { tuned }, gradings }: BenchmarkSummary,
): Promise<GradedVariant | null> {
  const [headline] = tuned?.perVariant ?? [];
  if (tuned === undefined || headline === undefined || gradings?.tuned === undefined) return null;
  const { parts, inputs } = await store.artifacts.readByUri(gradings.tuned);
  const asked = inputs.find((input) => input.name === 'benchmark');
  if (asked === undefined) throw new SecpiError('INTERNAL', `${gradings.tuned} names no benchmark.`);
  const { tasks } = await readBenchmark(store, asked.uri);
  const verdicts: VerdictRow[] = [];
  for await (const verdict of readRows(store.blobs, parts['verdicts'] ?? [], {}, verdictRowSchema))
    // Counted, not read: logs are most of a verdict.
    if (verdict.variant === headline.name) verdicts.push({ ...verdict, log: '' });
  const samplesPerTask = Math.round(tuned.samples / tuned.tasks);
  const variants = [headline.name];
  return {
    tasks,
    samplesPerTask,
    prompt: headline.name,
    tallies:
      tallyVerdicts({ benchmark: name, tasks, samplesPerTask, variants }, verdicts).get(headline.name) ?? [],
    metric: measures === 'function' ? 'func' : 'funcSec',
    k: tuned.k,
  };
}

function headlineMeasure({ variants, reference }: ExperimentSummary): ExperimentResult['measure'] {
  const [first] = (variants.find(({ name }) => name === reference) ?? variants[0])?.benchmarks ?? [];
  return first?.measure ?? 'funcSec';
}

function lineOf({ name, error, costUsd, stages, benchmarks: [headline] }: VariantSummary): ExperimentLine {
  const difference = headline?.difference ?? null;
  return {
    name,
    score: headline === undefined ? null : intervalOf(headline.tuned),
    difference:
      difference === null
        ? null
        : {
            ...intervalOf(difference),
            pValue: round(difference.pValue),
            adjustedPValue: round(difference.adjustedPValue),
          },
    costUsd,
    reusedStages: stages.filter(({ reused }) => reused).length,
    error: error === null ? null : error.slice(0, MAX_ERROR_CHARACTERS),
  };
}

function intervalOf({ value, low, high }: { value: number; low: number; high: number }) {
  return { value: round(value), low: round(low), high: round(high) };
}

/** The report has all digits. */
function round(value: number): number {
  return Number(value.toFixed(6));
}
