/**
 * The handlers of a workflow that holds a budget: workers ask for tranches by update and settle them by signal, people
 * look by query and raise the cap by update. Nothing waits in here: who is refused looks again by query, free of history.
 */
import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { SecpiError } from '../contract/errors.ts';
import { parseInput } from '../contract/parse.ts';
import {
  budgetQueryName,
  grantTrancheUpdateName,
  raiseBudgetSchema,
  raiseBudgetUpdateName,
  settleTrancheSignalName,
  type BudgetState,
  type TrancheAnswer,
  type TrancheRequest,
  type TrancheSettlement,
} from '../contract/workflows.ts';
import { Budget, type BudgetSnapshot } from './budgetState.ts';
import { failWithCode } from './failures.ts';

export type { BudgetSnapshot } from './budgetState.ts';

export const budgetQuery = defineQuery<BudgetState>(budgetQueryName);
export const raiseBudgetUpdate = defineUpdate<BudgetState, [unknown]>(raiseBudgetUpdateName);
export const grantTrancheUpdate = defineUpdate<TrancheAnswer, [TrancheRequest]>(grantTrancheUpdateName);
export const settleTrancheSignal = defineSignal<[TrancheSettlement]>(settleTrancheSignalName);

export interface BudgetListener {
  /** Somebody was refused, and nobody was before. */
  onPaused(state: BudgetState): void;
  /** There is enough again for who was refused. */
  onResumed(state: BudgetState): void;
}

export interface HeldBudget {
  state(): BudgetState;
  /** For continue-as-new; null without a budget. Take it when no handler is at work. */
  snapshot(): BudgetSnapshot | null;
}

/**
 * Installs the handlers. Without a cap (null) workers pay without asking, so nothing is granted, `budget` shows zeros,
 * and `raiseBudget` is refused: a cap that nobody asks about would be a false promise.
 */
export function createBudget(
  capUsd: number | null,
  listener: BudgetListener,
  restored: BudgetSnapshot | null = null,
): HeldBudget {
  const hasCap = restored !== null || capUsd !== null;
  const budget = new Budget(restored ?? { capUsd: capUsd ?? 0 });

  const telling = <T>(change: () => T): T => {
    const before = budget.state().pausedSince;
    const result = change();
    const state = budget.state();
    if (before === null && state.pausedSince !== null) listener.onPaused(state);
    if (before !== null && state.pausedSince === null) listener.onResumed(state);
    return result;
  };

  setHandler(budgetQuery, () => budget.state());
  setHandler(grantTrancheUpdate, (request) => telling(() => budget.grant(request, new Date().toISOString())));
  setHandler(settleTrancheSignal, (settlement) => telling(() => budget.settle(settlement)));
  setHandler(
    raiseBudgetUpdate,
    (input) =>
      telling(() => {
        budget.raise(parseInput(raiseBudgetSchema, input).capUsd);
        return budget.state();
      }),
    { validator: (input) => failWithCode(() => checkRaise(input, hasCap ? budget : null)) },
  );

  return { state: () => budget.state(), snapshot: () => (hasCap ? budget.snapshot() : null) };
}

function checkRaise(input: unknown, budget: Budget | null): void {
  const { capUsd } = parseInput(raiseBudgetSchema, input);
  if (budget === null) {
    throw new SecpiError('RECIPE_INVALID', 'this run was started without a budget.', {
      field: 'capUsd',
      remedy: 'Cancel it and start it again with budget.capUsd: answers that are paid are kept.',
    });
  }
  const committedUsd = budget.committedUsd();
  if (capUsd > committedUsd) return;
  throw new SecpiError(
    'RECIPE_INVALID',
    `the cap must be above what is spent, unsettled and granted: ${committedUsd.toFixed(6)} USD.`,
    { field: 'capUsd', remedy: 'Give the new cap, not what is added to it.' },
  );
}
