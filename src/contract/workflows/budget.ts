/** The money of a run, between its workflow and the workers that spend it. */
import { z } from 'zod';

/**
 * The money of a run. `granted` is with workers as tranches and counts as spent until they settle; so
 * spent + unsettled + granted ≤ cap, whatever dies.
 */
export interface BudgetState {
  readonly capUsd: number;
  readonly spentUsd: number;
  /** Requests of unknown outcome (a killed process, a cut answer), at their worst case. */
  readonly unsettledUsd: number;
  readonly grantedUsd: number;
  /** capUsd − spentUsd − unsettledUsd − grantedUsd. */
  readonly availableUsd: number;
  /** Since when somebody waits for money; null when nobody does. */
  readonly pausedSince: string | null;
}

/** Asked by a worker before it spends; the id is chosen by the worker and makes the request idempotent. */
export interface TrancheRequest {
  readonly id: string;
  /** The worst case of the next request: less is of no use. */
  readonly atLeastUsd: number;
}
export type TrancheAnswer =
  | { readonly status: 'granted'; readonly usd: number }
  /** Wait until `budget` shows enough, then ask again under a new id. */
  | { readonly status: 'refused'; readonly availableUsd: number; readonly capUsd: number };

/** What became of a tranche; told at its end, or by who finds it after its worker died. What is left returns. */
export interface TrancheSettlement {
  readonly id: string;
  readonly spentUsd: number;
  readonly unsettledUsd: number;
}

/** The run that holds the budget: the chain, or a stage that was started alone. */
export interface BudgetHolder {
  readonly workflowId: string;
  /** First run of a chain of continued ones may differ: tranches are asked of the workflow's current run. */
  readonly runId: string;
}

/** Input of the update `raiseBudget`: the new cap, not what is added. */
export const raiseBudgetSchema = z.strictObject({ capUsd: z.number().positive().max(10_000_000) });
