/**
 * A stage that asks a model about a dataset, shard by shard: take or reuse its artefact, a sliding window of shards,
 * publish. Histories stay small: a long stage goes on as a new run of the same workflow once its window has drained.
 */
import { continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { OpenedStage, Publication, ShardResult } from '../contract/activities.ts';
import { emptyUsage } from '../contract/usage.ts';
import {
  raiseBudgetUpdateName,
  type BudgetHolder,
  type StageResult,
  type StageState,
} from '../contract/workflows.ts';
import type { Board } from './board.ts';
import { createBudget, type BudgetListener, type BudgetSnapshot } from './budget.ts';
import { runShards, type ShardTotals } from './stages.ts';

/** Six events a shard, a dozen more where tests run: what has begun by then keeps a history below 10,000 events. */
const MAX_EVENTS = 6000;

/** Second argument of a stage's workflow: what a parent, or the run before, hands over. Never written by people. */
export interface StageContext {
  /** The run that holds the budget, where it is not this one. */
  readonly budget?: BudgetHolder;
  readonly resumed?: ResumedStage;
}

/** Where the run before stopped. */
export interface ResumedStage {
  readonly nextShard: number;
  readonly totals: ShardTotals;
  readonly budget: BudgetSnapshot | null;
  /** The artefact whose rows are worked on. */
  readonly input: string;
}

export interface ShardedStage {
  readonly name: string;
  readonly board: Board;
  readonly parallelShards: number;
  readonly context: StageContext;
  /** The artefact whose rows are worked on: made or found, when no run before this one did. */
  prepare(): Promise<string>;
  open(input: string, firstRun: string): Promise<OpenedStage>;
  /** What must hold before the dataset is paid for. */
  prove?(fingerprint: string, budget: BudgetHolder | null): Promise<void>;
  /** `label`: "3 of 12". */
  runShard(task: StageShard, label: string): Promise<ShardResult>;
  publish(input: string, publication: Publication): Promise<StageResult>;
  /** The workflow's own input, for the run that goes on. */
  readonly workflowInput: unknown;
  readonly capUsd: number | null;
}

export interface StageShard {
  readonly fingerprint: string;
  readonly index: number;
  readonly input: string;
  readonly budget: BudgetHolder | null;
}

export async function runShardedStage(stage: ShardedStage): Promise<StageResult> {
  const { board, name, context } = stage;
  const { resumed } = context;
  const budget =
    context.budget === undefined
      ? createBudget(stage.capUsd, pausing(board, [name]), resumed?.budget ?? null)
      : null;
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const holder = context.budget ?? (stage.capUsd === null ? null : { workflowId, runId });
  const input = resumed?.input ?? (await stage.prepare());
  const opened = await stage.open(input, firstExecutionRunId);
  if (opened.status === 'published') return opened.result;
  const { fingerprint, epoch, shards, rows: total, note } = opened;
  const tell = ({ rows, bad, usage }: ShardTotals): void =>
    board.update(name, {
      state: 'running',
      done: rows,
      total,
      costUsd: usage.costUsd,
      note: noteOf(rows, total, bad, usage.costUsd, shards),
    });
  tell(resumed?.totals ?? { rows: 0, bad: 0, usage: emptyUsage });
  // Until the first shard is done: what the ledger knows already.
  if (resumed === undefined && note !== '') board.update(name, { note });
  if (resumed === undefined) await stage.prove?.(fingerprint, holder);
  const { totals, next } = await runShards(
    {
      from: resumed?.nextShard ?? 0,
      to: shards,
      parallel: stage.parallelShards,
      isFull: () => workflowInfo().historyLength > MAX_EVENTS,
    },
    async (index) =>
      await stage.runShard({ fingerprint, index, input, budget: holder }, `${index + 1} of ${shards}`),
    tell,
    resumed?.totals,
  );
  if (next < shards) {
    const handedOver: StageContext = {
      ...(context.budget === undefined ? {} : { budget: context.budget }),
      resumed: { nextShard: next, totals, budget: budget?.snapshot() ?? null, input },
    };
    return await continueAsNew(stage.workflowInput, handedOver);
  }
  return await stage.publish(input, { fingerprint, epoch, shards, budget: holder });
}

/** Told by the workflow that holds the budget: who was refused money waits until the cap is raised. */
export function pausing(board: Board, stages: readonly string[]): BudgetListener {
  const { workflowId } = workflowInfo();
  const change = (from: StageState, to: StageState, note: string): void => {
    for (const name of stages) if (board.stage(name).state === from) board.update(name, { state: to, note });
  };
  return {
    onPaused: ({ capUsd, availableUsd }) =>
      change(
        'running',
        'paused',
        `paused at the cap: $${availableUsd.toFixed(4)} of $${capUsd} are left. Raise it: temporal workflow update execute --workflow-id ${workflowId} --name ${raiseBudgetUpdateName} --input '{"capUsd": ${Math.ceil(capUsd * 2)}}'`,
      ),
    onResumed: ({ capUsd }) => change('paused', 'running', `goes on under a cap of $${capUsd}`),
  };
}

/** Money so far and, by the share of rows that are done, what the stage will come to. */
function noteOf(rows: number, total: number, bad: number, costUsd: number, shards: number): string {
  const parts = [`${shards} shards`];
  if (bad > 0) parts.push(`${bad} bad rows`);
  if (costUsd > 0 && rows > 0 && rows < total)
    parts.push(`about $${((costUsd * total) / rows).toFixed(2)} in all`);
  return parts.join(' · ');
}
