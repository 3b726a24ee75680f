/**
 * Experiment: variants of one recipe, each a run of the chain of its own, then one report that compares them. Equal
 * stages are shared by fingerprint: who comes second waits for who makes it.
 */
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import {
  describeRun,
  parseExperiment,
  type Experiment,
  type ExperimentResult,
  type ExperimentVariant,
  type VariantOutcome,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { createBudget } from './budget.ts';
import { failWithCode, surface } from './failures.ts';
import type { secpi, SecpiContext } from './secpi.ts';
import { pausing } from './shardedStage.ts';
import { checks, control } from './stages.ts';

const REPORT = 'report';
/** Stages of a run that can be another's: all but its report. */
const STAGES = 6;

export async function experiment(input: unknown): Promise<ExperimentResult> {
  const parsed = failWithCode(() => parseExperiment(input));
  const { name, base, variants, budget } = parsed;
  const startedAt = new Date().toISOString();
  const ended = new Set<string>();
  const board = createBoard(
    'experiment',
    [
      ...variants.map((variant) => ({ name: variant.name, unit: 'stages' as const })),
      { name: REPORT, unit: 'files' as const },
    ],
    // The last signal of a run can come after its result.
    { onTold: (line, patch) => (ended.has(line) ? {} : patch) },
  );
  const names = variants.map((variant) => variant.name);
  if (budget !== null) createBudget(budget.capUsd, pausing(board, names));
  try {
    const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
      { summary: 'is the store fit? what does the namespace know?' },
      [],
    );
    board.allowAttributes(searchAttributes);
    board.attributes({
      SecpiRecipe: name,
      SecpiDataset: base.dataset.name ?? base.dataset.uri,
      SecpiModel: base.finetune.model.uri,
    });
    const outcomes = await runAll(parsed, board, ended);
    const result = await report(parsed, startedAt, outcomes, board);
    board.attributes({ SecpiCostUsd: result.costUsd, ...headline(result) });
    return result;
  } catch (error) {
    const cancelled = isCancellation(error);
    const state = cancelled ? 'cancelled' : 'failed';
    for (const { name: line } of [...variants, { name: REPORT }])
      if (['running', 'paused'].includes(board.stage(line).state)) board.update(line, { state, note: state });
    throw cancelled ? error : surface(error);
  }
}

/** In the order of the input. A variant that fails is a line of the report; the others go on. */
async function runAll(
  { variants, parallel, budget }: Experiment,
  board: Board,
  ended: Set<string>,
): Promise<VariantOutcome[]> {
  const outcomes = new Map<string, VariantOutcome>();
  const failures: unknown[] = [];
  const { workflowId, runId } = workflowInfo();
  const holder = budget === null ? {} : { budget: { workflowId, runId } };
  const waiting = [...variants];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await runOne(next, holder, board, (error) => failures.push(error));
      ended.add(next.name);
      outcomes.set(next.name, outcome);
    }
  };
  await CancellationScope.cancellable(async () => {
    const lanes = Array.from({ length: Math.min(parallel, variants.length) }, lane);
    // A cancelled experiment ends when all its runs have.
    const settled = await Promise.allSettled(lanes);
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
  });
  if (failures.length === variants.length) throw noneLeft(failures[0], failures.length);
  return variants.flatMap(({ name }) => outcomes.get(name) ?? []);
}

async function runOne(
  { name, recipe }: ExperimentVariant,
  holder: Pick<SecpiContext, 'budget'>,
  board: Board,
  onFailure: (error: unknown) => void,
): Promise<VariantOutcome> {
  const workflowId = `${workflowInfo().workflowId}/${name}`;
  board.begin(name, 'starting');
  try {
    const { summary, costUsd, reusedStages } = await executeChild<typeof secpi>('secpi', {
      args: [recipe, { line: name, ...holder }],
      workflowId,
      staticSummary: `variant ${name} of ${workflowInfo().workflowId}`,
      staticDetails: describeRun('secpi', workflowId),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    board.update(name, {
      state: 'done',
      done: STAGES,
      total: STAGES,
      costUsd,
      artifact: summary.uri,
      note: reusedStages.length === 0 ? '' : `shared: ${reusedStages.join(', ')}`,
    });
    return { name, workflowId, summary };
  } catch (error) {
    // A variant that somebody cancelled alone is a line as well.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
      board.update(name, { state: 'cancelled', note: 'cancelled' });
      throw error;
    }
    onFailure(error);
    const told = surface(error);
    const message = told instanceof Error ? told.message : String(told);
    board.update(name, { state: 'failed', note: message.slice(0, 300) });
    return { name, workflowId, error: message.slice(0, 200), costUsd: board.stage(name).costUsd };
  }
}

async function report(
  { name, description, reference, variants }: Experiment,
  startedAt: string,
  outcomes: readonly VariantOutcome[],
  board: Board,
): Promise<ExperimentResult> {
  board.begin(REPORT, 'comparing');
  const result = await control.writeExperimentReport.executeWithOptions(
    { summary: `compare ${outcomes.length} variants, write report.html, report.md and summary.json` },
    [
      {
        name,
        description: description ?? null,
        reference,
        startedAt,
        changes: Object.fromEntries(variants.map((variant) => [variant.name, variant.changes])),
        outcomes,
      },
    ],
  );
  board.update(REPORT, { state: 'done', done: 3, total: 3, artifact: result.report.uri, note: '' });
  return result;
}

/** Of the reference, since the best of many is best by chance too. */
function headline({ variants, reference, measure }: ExperimentResult): { SecpiFuncSec?: number } {
  const score = variants.find(({ name }) => name === reference)?.score ?? null;
  return score === null || measure !== 'funcSec' ? {} : { SecpiFuncSec: score.value };
}

function noneLeft(first: unknown, count: number): ApplicationFailure {
  const told = surface(first);
  const message = told instanceof Error ? told.message : String(told);
  const cause = told instanceof ApplicationFailure ? told : undefined;
  return ApplicationFailure.create({
    type: cause?.type ?? 'INTERNAL',
    message: `all ${count} variants failed; the first: ${message}`,
    nonRetryable: true,
    details: cause?.details ?? [],
    ...(told instanceof Error ? { cause: told } : {}),
  });
}
