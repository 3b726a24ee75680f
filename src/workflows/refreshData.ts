/**
 * Refresh: rows that are new in a source since the last approved time go through filter and distil, and wait for a
 * person before they are counted as taken and trained on.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { SecpiError } from '../contract/errors.ts';
import { parseInput } from '../contract/parse.ts';
import {
  approvalSchema,
  approveUpdateName,
  refreshInputSchema,
  type RefreshDecision,
  type RefreshInput,
  type RefreshResult,
  type StageResult,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { createBudget } from './budget.ts';
import { checkModelIfFree } from './checkModel.ts';
import type { distillTraces } from './distillTraces.ts';
import { classifyLoss, failWithCode, parseOrFail, surface } from './failures.ts';
import type { filterDataset } from './filterDataset.ts';
import type { fineTune } from './fineTune.ts';
import { runStage } from './runStage.ts';
import { pausing, type StageContext } from './shardedStage.ts';
import { checks, control, data, endpointsOf, importRows } from './stages.ts';

const SELECT = 'select new rows';
const APPROVE = 'approval';
const HOUR_MS = 3_600_000;

export const approveUpdate = defineUpdate<RefreshDecision, [unknown]>(approveUpdateName);

export async function refreshData(input: unknown): Promise<RefreshResult> {
  const parsed = parseOrFail(refreshInputSchema, input);
  const { budget, finetune } = parsed;
  const board = createBoard(
    'refreshData',
    [
      { name: SELECT, unit: 'rows' },
      { name: 'filter', unit: 'rows' },
      { name: 'distil', unit: 'traces' },
      { name: APPROVE, unit: 'traces' },
      ...(finetune === undefined ? [] : [{ name: 'fine-tune', unit: 'steps' as const }]),
    ],
    // What a child told last can come after its end was judged.
    { onTold: (stage, patch) => (['done', 'reused'].includes(board.stage(stage).state) ? {} : patch) },
  );
  createBudget(budget?.capUsd ?? null, pausing(board, ['filter', 'distil']));
  const approval = createApproval();
  try {
    await check(parsed, board);
    const result = await refresh(parsed, board, approval);
    board.attributes({ SecpiCostUsd: result.costUsd });
    return result;
  } catch (error) {
    const cancelled = isCancellation(error);
    const state = cancelled ? 'cancelled' : 'failed';
    for (const name of [SELECT, 'filter', 'distil', APPROVE, 'fine-tune'])
      if (['running', 'paused'].includes(board.stage(name).state)) board.update(name, { state, note: state });
    throw cancelled ? error : surface(error);
  } finally {
    // An answer that came with the end is given.
    await CancellationScope.nonCancellable(async () => await condition(allHandlersFinished));
  }
}

/** Everything that can be refused is refused before anything is paid. */
async function check({ dataset, filter, distill, finetune }: RefreshInput, board: Board): Promise<void> {
  board.begin(SELECT, 'checking');
  const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
    { summary: 'is the store fit? what does the namespace know?' },
    [],
  );
  board.allowAttributes(searchAttributes);
  board.attributes({
    SecpiDataset: dataset.name ?? dataset.uri,
    SecpiModel: finetune?.model.uri ?? distill.teacher.model,
  });
  await Promise.all([
    checks.data.checkEndpoints.executeWithOptions({ summary: 'are classifier and teacher reachable?' }, [
      endpointsOf({ filter, distill }),
    ]),
    checks.data.checkOracles.executeWithOptions({ summary: 'are the analysers there?' }, [{ distill }]),
    checks.data.checkDataset.executeWithOptions({ summary: 'is the dataset there?' }, [dataset]),
    finetune === undefined ? null : checkModelIfFree(finetune),
  ]);
}

async function refresh(parsed: RefreshInput, board: Board, approval: ApprovalDesk): Promise<RefreshResult> {
  const { series, dataset, filter, distill, budget, finetune, reuse } = parsed;
  const { workflowId, runId } = workflowInfo();
  const context: StageContext = budget === undefined ? {} : { budget: { workflowId, runId } };
  const fresh = await selectRows(parsed, board);
  const rows = (fresh.counts['source'] ?? 0) - (fresh.counts['seen'] ?? 0);
  const come = {
    series,
    rows: fresh.counts['source'] ?? 0,
    newRows: rows,
    dataset: fresh.artifact.uri,
    filtered: null,
    traces: null,
    traceRows: 0,
    decision: null,
    model: null,
  };
  if (rows === 0) return { ...come, state: 'nothingNew', dataset: null, costUsd: 0 };

  const filtered = await runStage<typeof filterDataset>(
    board,
    'filter',
    'filterDataset',
    { version: 1, reuse, dataset, filter },
    { ...context, rows: fresh.artifact.uri },
  );
  const kept = { ...come, filtered: filtered.artifact.uri };
  const traces = await distilIfAny(
    board,
    { version: 1, reuse, filtered: filtered.artifact.uri, distill },
    context,
  );
  if (traces === null) return { ...kept, state: 'nothingKept', costUsd: board.costUsd() };

  const traced = { ...kept, traces: traces.artifact.uri, traceRows: traces.artifact.rows };
  const decision = await decide(parsed, traces, board, approval);
  if (!decision.approved) return { ...traced, decision, state: 'refused', costUsd: board.costUsd() };
  await control.markRowsSeen.executeWithOptions({ summary: `${rows} rows of ${series} count as seen` }, [
    {
      series,
      approval: {
        at: decision.at,
        workflowId,
        firstRunId: workflowInfo().firstExecutionRunId,
        dataset: fresh.artifact.uri,
        rows,
        traces: traces.artifact.uri,
        note: decision.note,
      },
    },
  ]);
  board.update(APPROVE, { state: 'done', done: traces.artifact.rows, note: said(decision) });
  if (finetune === undefined) return { ...traced, decision, state: 'approved', costUsd: board.costUsd() };
  const model = await runStage<typeof fineTune>(board, 'fine-tune', 'fineTune', {
    version: 1,
    reuse,
    traces: traces.artifact.uri,
    finetune,
  });
  return { ...traced, decision, state: 'trained', model: model.artifact.uri, costUsd: board.costUsd() };
}

async function selectRows({ series, dataset, reuse }: RefreshInput, board: Board): Promise<StageResult> {
  const all = await importRows(board, SELECT, dataset, reuse);
  const fresh = await data.selectNewRows.executeWithOptions({ summary: `which rows are new in ${series}?` }, [
    { dataset: all, series, reuse, firstRunId: workflowInfo().firstExecutionRunId },
  ]);
  const { source = 0, seen = 0 } = fresh.counts;
  board.update(SELECT, {
    state: 'done',
    done: source - seen,
    total: source,
    artifact: fresh.artifact.uri,
    note:
      source === seen ? 'nothing new since the last approved refresh' : `${seen} rows were approved before`,
  });
  return fresh;
}

/** Null where no new row came to a trace: that is no failure of a schedule. */
async function distilIfAny(board: Board, input: unknown, context: StageContext): Promise<StageResult | null> {
  try {
    return await runStage<typeof distillTraces>(board, 'distil', 'distillTraces', input, context);
  } catch (error) {
    const loss = classifyLoss(error);
    if (loss.kind !== 'error' || loss.code !== 'NOTHING_KEPT') throw error;
    board.update('distil', { state: 'done', done: 0, note: 'no new row came to a trace' });
    return null;
  }
}

async function decide(
  { series, approval: { timeoutHours } }: RefreshInput,
  { artifact }: StageResult,
  board: Board,
  approval: ApprovalDesk,
): Promise<RefreshDecision> {
  const { cwes, families } = await control.describeTraces.executeWithOptions(
    { summary: 'what are the new traces about?' },
    [{ traces: artifact.uri }],
  );
  board.begin(APPROVE, '');
  board.update(APPROVE, { total: artifact.rows, artifact: artifact.uri });
  board.attributes({ SecpiCweFamily: families });
  const about = cwes.map(({ cwe, traces }) => `${cwe} ${traces}`).join(', ');
  board.hold(
    APPROVE,
    `${artifact.rows} new traces of ${series} (${about}) wait for approval, at most ${timeoutHours} h: temporal workflow update execute --workflow-id ${workflowInfo().workflowId} --name ${approveUpdateName} --input '{"approved": true, "note": "…"}'`,
  );
  const decision = await approval.wait(timeoutHours * HOUR_MS);
  board.hold(APPROVE, null);
  if (!decision.approved) board.update(APPROVE, { state: 'done', done: 0, note: said(decision) });
  return decision;
}

function said({ approved, by, note }: RefreshDecision): string {
  if (by === 'timeout') return 'refused: nobody answered in time; the rows come again';
  const what = approved ? 'approved' : 'refused; the rows come again';
  return note === '' ? what : `${what}: ${note}`;
}

interface ApprovalDesk {
  /** Refused where nobody decides within this time. */
  wait(timeoutMs: number): Promise<RefreshDecision>;
}

/** The update `approve`: only while somebody waits for it, and only once. */
function createApproval(): ApprovalDesk {
  let isOpen = false;
  let decision: RefreshDecision | null = null;
  const check = (input: unknown): void => {
    parseInput(approvalSchema, input);
    if (decision !== null) {
      const before = decision.approved ? 'approved' : 'refused';
      throw refusal(
        `this refresh was ${before} at ${decision.at}.`,
        'Start another one, or wait for the next.',
      );
    }
    if (!isOpen)
      throw refusal(
        'there is nothing to approve yet.',
        'Ask for `progress`: the stage "approval" says when traces wait.',
      );
  };
  setHandler(
    approveUpdate,
    (input) => {
      // Two can pass the check before the first is handled.
      failWithCode(() => check(input));
      const made: RefreshDecision = {
        ...parseInput(approvalSchema, input),
        at: new Date().toISOString(),
        by: 'update',
      };
      decision = made;
      return made;
    },
    { validator: (input) => failWithCode(() => check(input)) },
  );
  return {
    wait: async (timeoutMs) => {
      isOpen = true;
      await condition(() => decision !== null, timeoutMs);
      decision ??= { approved: false, note: '', at: new Date().toISOString(), by: 'timeout' };
      return decision;
    },
  };
}

function refusal(problem: string, remedy: string): SecpiError {
  return new SecpiError('RECIPE_INVALID', problem, { field: 'approved', remedy });
}
