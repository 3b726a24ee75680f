/**
 * The whole chain: filter → distil → fine-tune → evaluate, base and tuned, then one report. Each stage is a child
 * workflow, startable alone as well. The base model is evaluated while the data is made.
 */
import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { PreparedBenchmark, ReportedStage } from '../contract/activities.ts';
import { parseRecipe } from '../contract/parse.ts';
import type { Recipe } from '../contract/recipe.ts';
import { createBudget } from './budget.ts';
import { pausing, type StageContext } from './shardedStage.ts';
import { stageNames } from '../contract/workflows.ts';
import type {
  BudgetHolder,
  EvaluateResult,
  FineTuneResult,
  SecpiResult,
  StageName,
  StageResult,
} from '../contract/workflows.ts';
import { createBoard, familiesOf, type Board } from './board.ts';
import { checkModelIfFree } from './checkModel.ts';
import type { distillTraces } from './distillTraces.ts';
import { prepareBenchmarks, reportedEvaluation, type evaluateModel } from './evaluateModel.ts';
import { failWithCode, surface } from './failures.ts';
import type { filterDataset } from './filterDataset.ts';
import type { fineTune } from './fineTune.ts';
import { runStage } from './runStage.ts';
import { checks, control, endpointsOf } from './stages.ts';
import { variantLine } from './variantLine.ts';

interface Outcome {
  readonly filter: StageResult;
  readonly distill: StageResult;
  readonly fineTune: FineTuneResult;
  readonly base: EvaluateResult;
  readonly tuned: EvaluateResult;
}

/** Second argument: what a parent hands over. Never written by people. */
export interface SecpiContext {
  /** How the parent calls this run. */
  readonly line: string;
  /** Holds the budget instead of this run, whatever the recipe says. */
  readonly budget?: BudgetHolder;
}

export async function secpi(input: unknown, context?: SecpiContext): Promise<SecpiResult> {
  const recipe = failWithCode(() => parseRecipe(input));
  const startedAt = new Date().toISOString();
  const board = createBoard(
    'secpi',
    [
      { name: 'filter', unit: 'rows' },
      { name: 'distil', unit: 'traces' },
      { name: 'fine-tune', unit: 'steps' },
      { name: 'evaluate base', unit: 'samples' },
      { name: 'evaluate tuned', unit: 'samples' },
      { name: 'report', unit: 'files' },
    ],
    context === undefined ? {} : { asOne: (stages) => variantLine(context.line, stages) },
  );
  if (context?.budget === undefined)
    createBudget(recipe.budget?.capUsd ?? null, pausing(board, ['filter', 'distil']));
  const holder = context?.budget ?? holderOf(recipe);
  try {
    const prepared = await checkEverything(recipe, board);
    const outcome = await runChain(recipe, board, prepared, holder);
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
    ...familiesOf(recipe.distill),
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
    checkModelIfFree(recipe.finetune),
  ]);
  return prepared;
}

/** One cap for the whole run: the stages' workers ask this workflow for money. */
function holderOf({ budget }: Recipe): BudgetHolder | null {
  const { workflowId, runId } = workflowInfo();
  return budget === undefined ? null : { workflowId, runId };
}

async function runChain(
  recipe: Recipe,
  board: Board,
  prepared: readonly PreparedBenchmark[],
  holder: BudgetHolder | null,
): Promise<Outcome> {
  const { reuse } = recipe;
  const context: StageContext = holder === null ? {} : { budget: holder };
  return await CancellationScope.cancellable(async () => {
    const evaluateBase = runStage<typeof evaluateModel>(
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
      const filter = await runStage<typeof filterDataset>(
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
      const distill = await runStage<typeof distillTraces>(
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
      const tunedModel = await runStage<typeof fineTune>(board, 'fine-tune', 'fineTune', {
        version: 1,
        reuse,
        traces: distill.artifact.uri,
        finetune: recipe.finetune,
      });
      const tuned = await runStage<typeof evaluateModel>(
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
