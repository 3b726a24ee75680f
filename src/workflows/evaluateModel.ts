/**
 * Evaluate: for each benchmark publish what it asks, prove its references on this machinery, generate a fixed set of
 * samples, grade them in the sandbox, publish verdicts and scores. Benchmarks go side by side.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type {
  GeneratedSamples,
  GradedResult,
  Grading,
  PreparedBenchmark,
  ReadyBenchmark,
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
import { failWithCode, parseOrFail } from './failures.ts';
import { pausing } from './shardedStage.ts';
import { checks, control, data, gpuOn, runShards, sandbox, untilFree } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

/** Grading activities at a time over all sandbox workers, of one benchmark. */
const PARALLEL_GRADE_SHARDS = 32;

export async function evaluateModel(input: unknown): Promise<EvaluateResult> {
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
    const prepared = await prepareBenchmarks(parsed.evaluate, 'evaluate.benchmarks');
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
      [{ input: parsed, startedAt, result }],
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
    board.update(stage, { note: 'waiting for a free GPU worker' });
    return await gpuOn(evaluate.gpu.class, { patient: true }).generateSamples.executeWithOptions(
      { summary: `generate samples of the ${label} model` },
      [{ ...common, model }],
    );
  });
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
      return { ...graded, generation, generationReused: generated.reused };
    }),
  );
}

async function gradeShards(
  grading: Grading,
  references: References,
  { fingerprint, epoch, shards }: { fingerprint: string; epoch: number; shards: number },
  onRows: (rows: number) => void,
): Promise<GradedResult> {
  const { name } = grading;
  await runShards(
    { from: 0, to: shards, parallel: PARALLEL_GRADE_SHARDS },
    async (index) =>
      await sandbox.gradeShard.executeWithOptions(
        { summary: `${name}: grade shard ${index + 1} of ${shards}` },
        [{ ...grading, fingerprint, index }],
      ),
    (totals) => onRows(totals.rows),
  );
  return await sandbox.publishEvaluation.executeWithOptions(
    { summary: `${name}: publish verdicts and scores` },
    [{ ...grading, fingerprint, epoch, shards, references }],
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
    usage: generations.reduce((sum, { usage }) => addUsage(sum, usage), emptyUsage),
    seconds: made.reduce((sum, { seconds }) => sum + seconds, 0),
    benchmarks: [...benchmarks],
    skipped,
    report: null,
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
