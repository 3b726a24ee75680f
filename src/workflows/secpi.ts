/**
 * The whole chain: filter → distil → fine-tune → evaluate, base and tuned, then one report. Each stage is a child
 * workflow, startable alone as well. The base model is evaluated while the data is made.
 */
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  TimeoutFailure,
  executeChild,
  isCancellation,
  log,
  workflowInfo,
  type Workflow,
  type WorkflowResultType,
} from '@temporalio/workflow';
import type { PreparedBenchmark, ReportedStage } from '../contract/activities.ts';
import { parseRecipe } from '../contract/parse.ts';
import type { Recipe } from '../contract/recipe.ts';
import { createBudget } from './budget.ts';
import { pausing, type StageContext } from './shardedStage.ts';
import { stageNames } from '../contract/workflows.ts';
import type {
  EvaluateResult,
  FineTuneResult,
  SecpiResult,
  StageName,
  StageResult,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import type { distillTraces } from './distillTraces.ts';
import {
  prepareBenchmarks,
  reportedEvaluation,
  type EvaluateContext,
  type evaluateModel,
} from './evaluateModel.ts';
import { failWithCode, surface } from './failures.ts';
import type { filterDataset } from './filterDataset.ts';
import type { fineTune } from './fineTune.ts';
import { checks, control, endpointsOf } from './stages.ts';

interface Outcome {
  readonly filter: StageResult;
  readonly distill: StageResult;
  readonly fineTune: FineTuneResult;
  readonly base: EvaluateResult;
  readonly tuned: EvaluateResult;
}

export async function secpi(input: unknown): Promise<SecpiResult> {
  const recipe = failWithCode(() => parseRecipe(input));
  const startedAt = new Date().toISOString();
  const board = createBoard('secpi', [
    { name: 'filter', unit: 'rows' },
    { name: 'distil', unit: 'traces' },
    { name: 'fine-tune', unit: 'steps' },
    { name: 'evaluate base', unit: 'samples' },
    { name: 'evaluate tuned', unit: 'samples' },
    { name: 'report', unit: 'files' },
  ]);
  createBudget(recipe.budget?.capUsd ?? null, pausing(board, ['filter', 'distil']));
  try {
    const prepared = await checkEverything(recipe, board);
    const outcome = await runChain(recipe, board, prepared);
    board.begin('report', 'writing');
    const result = await control.writeReport.executeWithOptions(
      { summary: 'write report.html, report.md and summary.json' },
      [
        {
          recipe: recipe.name,
          model: recipe.finetune.model.uri,
          evaluate: recipe.evaluate,
          startedAt,
          stages: reportedStages(outcome),
          filter: outcome.filter,
          distill: outcome.distill,
          fineTune: outcome.fineTune,
          base: reportedEvaluation(outcome.base),
          tuned: reportedEvaluation(outcome.tuned),
        },
      ],
    );
    board.update('report', { state: 'done', done: 3, total: 3, artifact: result.report.uri, note: '' });
    board.attributes({
      SecpiCostUsd: result.costUsd,
      ...(outcome.tuned.funcSec === null ? {} : { SecpiFuncSec: outcome.tuned.funcSec.value }),
      SecpiReused: result.reusedStages.length > 0,
    });
    return result;
  } catch (error) {
    const state = isCancellation(error) ? 'cancelled' : 'failed';
    for (const name of stageNames)
      if (['running', 'paused'].includes(board.stage(name).state)) board.update(name, { state, note: state });
    throw isCancellation(error) ? error : surface(error);
  }
}

/** Everything that can be refused is refused before anything is paid. */
async function checkEverything(recipe: Recipe, board: Board): Promise<PreparedBenchmark[]> {
  const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
    { summary: 'is the store fit? what does the namespace know?' },
    [],
  );
  board.allowAttributes(searchAttributes);
  board.attributes({
    SecpiRecipe: recipe.name,
    SecpiDataset: recipe.dataset.name ?? recipe.dataset.uri,
    SecpiModel: recipe.finetune.model.uri,
  });
  const [prepared] = await Promise.all([
    prepareBenchmarks(recipe.evaluate, 'evaluate.benchmarks'),
    checks.data.checkEndpoints.executeWithOptions({ summary: 'are classifier and teacher reachable?' }, [
      endpointsOf(recipe),
    ]),
    checks.data.checkOracles.executeWithOptions({ summary: 'are the analysers there?' }, [
      { distill: recipe.distill },
    ]),
    checks.data.checkDataset.executeWithOptions({ summary: 'is the dataset there?' }, [recipe.dataset]),
    checkModelIfFree(recipe),
  ]);
  return prepared;
}

/** A GPU that is busy with another run must not hold up this check: the stage itself looks again. */
async function checkModelIfFree({ finetune }: Recipe): Promise<void> {
  try {
    await checks
      .gpu(finetune.gpu.class)
      .checkModel.executeWithOptions(
        { summary: 'is the target model there?', scheduleToStartTimeout: '15s' },
        [{ model: finetune.model, field: 'finetune.model.uri' }],
      );
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    if (!(cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START')) throw error;
    log.warn('no free GPU worker to look for the model; its stage will');
  }
}

async function runChain(
  recipe: Recipe,
  board: Board,
  prepared: readonly PreparedBenchmark[],
): Promise<Outcome> {
  const { reuse } = recipe;
  const { workflowId, runId } = workflowInfo();
  // One cap for the whole run: the stages' workers ask this workflow for money.
  const context: StageContext = recipe.budget === undefined ? {} : { budget: { workflowId, runId } };
  return await CancellationScope.cancellable(async () => {
    const evaluateBase = stage<typeof evaluateModel>(
      board,
      'evaluate base',
      'evaluateModel',
      {
        version: 1,
        reuse,
        model: recipe.finetune.model,
        label: 'base',
        evaluate: recipe.evaluate,
      },
      { prepared },
    );
    const chain = async (): Promise<Omit<Outcome, 'base'>> => {
      const filter = await stage<typeof filterDataset>(
        board,
        'filter',
        'filterDataset',
        {
          version: 1,
          reuse,
          dataset: recipe.dataset,
          filter: recipe.filter,
        },
        context,
      );
      const distill = await stage<typeof distillTraces>(
        board,
        'distil',
        'distillTraces',
        {
          version: 1,
          reuse,
          filtered: filter.artifact.uri,
          distill: recipe.distill,
        },
        context,
      );
      const tunedModel = await stage<typeof fineTune>(board, 'fine-tune', 'fineTune', {
        version: 1,
        reuse,
        traces: distill.artifact.uri,
        finetune: recipe.finetune,
      });
      const tuned = await stage<typeof evaluateModel>(
        board,
        'evaluate tuned',
        'evaluateModel',
        {
          version: 1,
          reuse,
          model: { uri: tunedModel.artifact.uri },
          label: 'tuned',
          evaluate: recipe.evaluate,
        },
        { prepared },
      );
      return { filter, distill, fineTune: tunedModel, tuned };
    };
    const work = [evaluateBase, chain()] as const;
    try {
      const [base, rest] = await Promise.all(work);
      return { ...rest, base };
    } catch (error) {
      CancellationScope.current().cancel();
      await Promise.allSettled(work);
      throw error;
    }
  });
}

/** Runs a stage as a child named after it, so that the tree in the UI reads itself. */
async function stage<Type extends Workflow>(
  board: Board,
  name: StageName,
  type: string,
  input: unknown,
  context?: StageContext | EvaluateContext,
): Promise<WorkflowResultType<Type>> {
  board.begin(name, 'starting');
  const result = (await executeChild(type, {
    args: context === undefined ? [input] : [input, context],
    workflowId: `${workflowInfo().workflowId}/${name.replaceAll(' ', '-')}`,
    staticSummary: `${name} of ${workflowInfo().workflowId}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  })) as WorkflowResultType<Type> & StageResult;
  const { artifact, reused, usage } = result;
  board.update(name, {
    state: reused ? 'reused' : 'done',
    done: artifact.rows,
    total: artifact.rows,
    costUsd: reused ? 0 : usage.costUsd,
    artifact: artifact.uri,
    note: reused ? 'reused a finished artefact' : '',
    seconds: result.seconds,
  });
  return result;
}

function reportedStages({ filter, distill, fineTune, base, tuned }: Outcome): ReportedStage[] {
  const line = (name: StageName, result: StageResult): ReportedStage => ({
    name,
    artifact: result.artifact.uri,
    seconds: result.seconds,
    reused: result.reused,
    rows: result.artifact.rows,
  });
  return [
    line('filter', filter),
    line('distil', distill),
    line('fine-tune', fineTune),
    line('evaluate base', base),
    line('evaluate tuned', tuned),
  ];
}
