/**
 * Evaluate: for each benchmark publish what it asks, prove its references on this machinery, generate a fixed set of
 * samples, grade them in the sandbox, publish verdicts and scores. Benchmarks go side by side.
 */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import type {
  Busy,
  GenerateInput,
  GeneratedSamples,
  GradedResult,
  Grading,
  OpenedGrading,
  PreparedBenchmark,
  ReadyBenchmark,
  ReportedEvaluation,
} from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { References } from '../contract/summary.ts';
import { addUsage, emptyUsage } from '../contract/usage.ts';
import {
  evaluateInputSchema,
  type BenchmarkResult,
  type BudgetHolder,
  type EvaluateInput,
  type EvaluateResult,
  type StageResult,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { createBudget } from './budget.ts';
import { classifyLoss, failWithCode, parseOrFail } from './failures.ts';
import { pausing } from './shardedStage.ts';
import { checks, control, data, gpuOn, runShards, sandbox, untilFree } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

/** Grading activities at a time over all sandbox workers, of one benchmark. */
const PARALLEL_GRADE_SHARDS = 32;
/** Of a generation: hosts that went, and what else went wrong. */
const MAX_LOSSES = 1000;
const MAX_ERRORS = 6;
const LONGEST_PAUSE_MS = 60_000;

/** What a parent hands over; never written by people. */
export interface EvaluateContext {
  /** Both models of a chain are asked the same tasks, whatever becomes of a checkout meanwhile. */
  readonly prepared?: readonly PreparedBenchmark[];
}

export async function evaluateModel(input: unknown, context: EvaluateContext = {}): Promise<EvaluateResult> {
  const parsed = parseOrFail(evaluateInputSchema, input);
  const { model, endpoint, label, budget } = parsed;
  const startedAt = new Date().toISOString();
  const stage = `evaluate ${label}`;
  const board = createBoard('evaluateModel', [{ name: stage, unit: 'samples' }]);
  createBudget(budget?.capUsd ?? null, pausing(board, [stage]));
  return await stageWorkflow(board, stage, async () => {
    board.attributes({ SecpiModel: model?.uri ?? endpoint?.model ?? '' });
    if (endpoint !== undefined) {
      await checks.data.checkEndpoints.executeWithOptions({ summary: `is ${endpoint.model} reachable?` }, [
        [{ field: 'endpoint', endpoint }],
      ]);
    }
    const prepared = context.prepared ?? (await prepareBenchmarks(parsed.evaluate, 'evaluate.benchmarks'));
    const ready = prepared.filter((one) => one.status === 'ready');
    const skipped = prepared.flatMap((one) =>
      one.status === 'skipped' ? [{ name: one.name, reason: one.reason }] : [],
    );
    const evaluation = { ...parsed, board, stage, holder: holderOf(parsed) };
    // Refused before a GPU is asked for.
    const references = await proveReferences(evaluation, ready);
    const { generations } = await generate(evaluation, ready);
    const benchmarks = await gradeAll(evaluation, ready, references, generations);
    const result = resultOf(benchmarks, generations, skipped);
    if (result.funcSec !== null) board.attributes({ SecpiFuncSec: result.funcSec.value });
    if (workflowInfo().parent !== undefined) return result;
    board.update(stage, { note: 'writing the report' });
    const report = await control.writeEvaluationReport.executeWithOptions(
      { summary: 'write report.html, report.md and summary.json' },
      [{ input: parsed, startedAt, result: reportedEvaluation(result) }],
    );
    return { ...result, report };
  });
}

/** What each benchmark asks, published; one that cannot be graded ends the run, or is left out where the recipe allows. */
export async function prepareBenchmarks(
  evaluate: EvaluateInput['evaluate'],
  field: string,
): Promise<PreparedBenchmark[]> {
  const prepared = await Promise.all(
    evaluate.benchmarks.map(
      async (name, index) =>
        await checks.sandbox.prepareBenchmark.executeWithOptions({ summary: `can ${name} be graded?` }, [
          { name, evaluate, field: `${field}[${index}]` },
        ]),
    ),
  );
  if (prepared.every(({ status }) => status === 'skipped')) {
    failWithCode(() => {
      throw new SecpiError('BENCHMARK_UNAVAILABLE', 'every benchmark would be skipped.', { field });
    });
  }
  return prepared;
}

interface Evaluation extends EvaluateInput {
  readonly board: Board;
  readonly stage: string;
  readonly holder: BudgetHolder | null;
}

function holderOf({ budget }: EvaluateInput): BudgetHolder | null {
  const { workflowId, runId } = workflowInfo();
  return budget === undefined ? null : { workflowId, runId };
}

async function proveReferences(
  { board, stage, evaluate }: Evaluation,
  ready: readonly ReadyBenchmark[],
): Promise<References[]> {
  board.update(stage, { note: 'grading the references' });
  return await allOrNone(
    ready.map(
      ({ name, artifact }) =>
        async () =>
          await sandbox.gradeReferences.executeWithOptions({ summary: `grade the references of ${name}` }, [
            { name, benchmark: artifact, evaluate, stage },
          ]),
    ),
  );
}

async function generate(
  { board, stage, model, endpoint, label, evaluate, reuse, holder }: Evaluation,
  benchmarks: readonly ReadyBenchmark[],
): Promise<GeneratedSamples> {
  const common = { benchmarks, evaluate, reuse, stage };
  return await untilFree(board, stage, 'generates the same samples', async () => {
    if (endpoint !== undefined) {
      return await data.askSamples.executeWithOptions({ summary: `ask ${endpoint.model} for samples` }, [
        { ...common, endpoint, field: 'endpoint', budget: holder },
      ]);
    }
    if (model === undefined) throw new Error('an evaluation has a model or an endpoint');
    return await onGpu(board, stage, evaluate, `generate samples of the ${label} model`, {
      ...common,
      model,
    });
  });
}

/** As in training, hosts that go are counted apart from errors: finished batches are in the store. */
async function onGpu(
  board: Board,
  stage: string,
  { gpu }: EvaluateInput['evaluate'],
  summary: string,
  input: GenerateInput,
): Promise<GeneratedSamples | Busy> {
  for (let losses = 0, errors = 0; ;) {
    board.update(stage, { note: 'waiting for a free GPU worker' });
    try {
      return await gpuOn(gpu.class, { patient: false }).generateSamples.executeWithOptions({ summary }, [
        input,
      ]);
    } catch (error) {
      const loss = classifyLoss(error);
      if (loss.kind === 'cancelled') throw error;
      if (loss.kind === 'error') {
        // A host that has no room now is as good as one that is gone.
        const isHosts = loss.code === 'CAPACITY_UNAVAILABLE' || loss.code === 'RESOURCES_INSUFFICIENT';
        if (!loss.retryable && !isHosts) throw error;
        if (!isHosts && ++errors >= MAX_ERRORS) throw error;
      }
      if (++losses >= MAX_LOSSES) throw error;
      board.update(stage, { note: `goes on after loss ${losses} of its GPU host` });
      await sleep(Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** Math.min(losses - 1, 6)));
    }
  }
}

async function gradeAll(
  { board, stage, evaluate, reuse }: Evaluation,
  ready: readonly ReadyBenchmark[],
  references: readonly References[],
  generations: readonly StageResult[],
): Promise<BenchmarkResult[]> {
  const done = ready.map(() => 0);
  const total = generations.reduce((sum, { artifact }) => sum + artifact.rows, 0);
  const tell = (index: number, rows: number): void => {
    done[index] = rows;
    board.update(stage, { done: done.reduce((sum, each) => sum + each, 0), total, note: 'grading' });
  };
  return await allOrNone(
    ready.map(({ name, artifact: benchmark }, index) => async () => {
      const generated = generations[index];
      const proven = references[index];
      if (generated === undefined || proven === undefined) throw new Error(`no samples of ${name}`);
      const generation = generated.artifact;
      const grading = { name, benchmark, generation: generation.uri, evaluate, reuse };
      const opened = await untilFree(
        board,
        stage,
        'grades the same samples',
        async () =>
          await sandbox.openEvaluation.executeWithOptions(
            { summary: `${name}: take or reuse the grading of ${generation.rows} samples` },
            [{ ...grading, stage }],
          ),
      );
      const graded =
        opened.status === 'published'
          ? opened.result
          : await gradeShards(grading, proven, opened, (rows) => tell(index, rows));
      tell(index, generation.rows);
      const generationCostUsd = generated.reused ? 0 : generated.usage.costUsd;
      return { ...graded, generation, generationReused: generated.reused, generationCostUsd };
    }),
  );
}

async function gradeShards(
  grading: Grading,
  references: References,
  { fingerprint, versions, shards }: Extract<OpenedGrading, { status: 'owned' }>,
  onRows: (rows: number) => void,
): Promise<GradedResult> {
  const { name } = grading;
  await runShards(
    { from: 0, to: shards, parallel: PARALLEL_GRADE_SHARDS },
    async (index) =>
      await sandbox.gradeShard.executeWithOptions(
        { summary: `${name}: grade shard ${index + 1} of ${shards}` },
        [{ ...grading, fingerprint, versions, index }],
      ),
    (totals) => onRows(totals.rows),
  );
  return await sandbox.publishEvaluation.executeWithOptions(
    { summary: `${name}: publish verdicts and scores` },
    [{ ...grading, fingerprint, versions, shards, references }],
  );
}

/** The headline is the first benchmark's; money and time are everybody's. */
function resultOf(
  benchmarks: readonly BenchmarkResult[],
  generations: readonly StageResult[],
  skipped: EvaluateResult['skipped'],
): EvaluateResult {
  const [first] = benchmarks;
  if (first === undefined) throw new Error('an evaluation has a benchmark');
  const made = [...generations, ...benchmarks].filter(({ reused }) => !reused);
  const { artifact, counts, func, secure, funcSec } = first;
  return {
    artifact,
    counts,
    func,
    secure,
    funcSec,
    reused: made.length === 0,
    // What another run had paid is no cost of this one.
    usage: generations.reduce((sum, { usage, reused }) => (reused ? sum : addUsage(sum, usage)), emptyUsage),
    seconds: made.reduce((sum, { seconds }) => sum + seconds, 0),
    benchmarks: [...benchmarks],
    skipped,
    report: null,
  };
}

/** What a report needs to know of it. */
export function reportedEvaluation({ skipped, benchmarks }: EvaluateResult): ReportedEvaluation {
  return {
    skipped,
    benchmarks: benchmarks.map(
      ({ name, benchmark, generation, artifact, seconds, reused, generationCostUsd }) => ({
        name,
        benchmark,
        generation: generation.uri,
        artifact: artifact.uri,
        seconds,
        reused,
        rows: artifact.rows,
        costUsd: generationCostUsd,
      }),
    ),
  };
}

/** All at once; the first failure cancels the others, which are waited for. */
async function allOrNone<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  return await CancellationScope.cancellable(async () => {
    const begun = work.map(async (one) => await one());
    try {
      return await Promise.all(begun);
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(begun);
      throw error;
    }
  });
}
