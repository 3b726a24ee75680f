/**
 * A stage that asks a model about a dataset, shard by shard: take or reuse its artefact, a sliding window of shards,
 * publish. Histories stay small: a long stage goes on as a new run of the same workflow once its window has drained.
 */
import { continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { OpenedStage, Opening, Publication, Reuse, ShardResult } from '../contract/activities.ts';
import { emptyUsage } from '../contract/usage.ts';
import { raiseBudgetUpdateName, type BudgetHolder, type StageResult } from '../contract/workflows.ts';
import type { Board } from './board.ts';
import { createBudget, type BudgetListener, type BudgetSnapshot, type HeldBudget } from './budget.ts';
import { classifyLoss } from './failures.ts';
import { runShards, type ShardTotals } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

/** Events of one run of the workflow after which no shard is begun. */
const MAX_EVENTS = 6000;
/** What has begun by then is brought to its end: so many events more, at most. */
const MAX_EVENTS_UNDER_WAY = 3000;
/** Lost workers are waited out by Temporal's own retries first; a shard that is lost so often besides is given up. */
const MAX_LOST_ROUNDS = 50;

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
  /** Events of the history that one shard can come to. */
  readonly eventsPerShard: number;
  readonly reuse: Reuse;
  readonly context: StageContext;
  /** The artefact whose rows are worked on: made or found, when no run before this one did. */
  prepare(): Promise<string>;
  open(input: string, opening: Opening): Promise<OpenedStage>;
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
  // Before anything is waited for: people may raise the cap at any time.
  const budget =
    context.budget === undefined
      ? createBudget(stage.capUsd, pausing(board, [name]), context.resumed?.budget ?? null)
      : null;
  return await stageWorkflow(board, name, async () => await runShardsOf(stage, budget));
}

async function runShardsOf(stage: ShardedStage, budget: HeldBudget | null): Promise<StageResult> {
  const { board, name, context, reuse } = stage;
  const { resumed } = context;
  const { workflowId, runId, firstExecutionRunId: firstRun } = workflowInfo();
  const holder = context.budget ?? (stage.capUsd === null ? null : { workflowId, runId });
  const input = resumed?.input ?? (await stage.prepare());
  const opened = await stage.open(input, { reuse, firstRun });
  if (opened.status === 'published') return opened.result;
  const { fingerprint, shards, rows: total, note } = opened;
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
      parallel: Math.max(
        1,
        Math.min(stage.parallelShards, Math.floor(MAX_EVENTS_UNDER_WAY / stage.eventsPerShard)),
      ),
      isFull: () => {
        const { historyLength, continueAsNewSuggested } = workflowInfo();
        return historyLength > MAX_EVENTS || continueAsNewSuggested;
      },
    },
    async (index) =>
      await outliving(
        async () =>
          await stage.runShard({ fingerprint, index, input, budget: holder }, `${index + 1} of ${shards}`),
      ),
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
  return await stage.publish(input, { reuse, firstRun, shards, budget: holder });
}

/** Machines that go are no error of the work: only what fails for another reason ends it. */
async function outliving<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (error) {
      if (classifyLoss(error).kind !== 'preempted' || round >= MAX_LOST_ROUNDS) throw error;
    }
  }
}

/** Told by the workflow that holds the budget: who was refused money waits until the cap is raised. */
export function pausing(board: Board, stages: readonly string[]): BudgetListener {
  const { workflowId } = workflowInfo();
  const holdAll = (note: string | null): void => {
    for (const name of stages) board.hold(name, note);
  };
  return {
    onPaused: ({ capUsd, availableUsd }) =>
      holdAll(
        `paused at the cap: $${availableUsd.toFixed(4)} of $${capUsd} are left. Raise it: temporal workflow update execute --workflow-id ${workflowId} --name ${raiseBudgetUpdateName} --input '{"capUsd": ${Math.ceil(capUsd * 2)}}'`,
      ),
    onResumed: () => holdAll(null),
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
