/** Money of a run on one worker: what is asked of the budget's holder, and how a request spends. */
import type {
  BudgetHolder,
  BudgetState,
  TrancheAnswer,
  TrancheRequest,
  TrancheSettlement,
} from '../../contract/workflows.ts';

/** The run that money is asked of, as one host keeps it in mind. */
export interface PurseHolder extends BudgetHolder {
  readonly namespace: string;
}

/** Thrown by a bank whose holder has ended: nobody counts any more, so there is nothing to settle. */
export class HolderGoneError extends Error {
  constructor(holder: Pick<BudgetHolder, 'workflowId'>, options?: ErrorOptions) {
    super(`the run ${holder.workflowId}, which holds the budget, has ended`, options);
    this.name = 'HolderGoneError';
  }
}

/** The holder of the budget as a worker reaches it: a workflow, or a double in a test. */
export interface Bank {
  grant(request: TrancheRequest): Promise<TrancheAnswer>;
  state(): Promise<BudgetState>;
  /** Idempotent by the tranche's id. */
  settle(settlement: TrancheSettlement): Promise<void>;
}

/** Money set aside for one request, durably, before it is sent. Exactly one of the three ends it. */
export interface Reservation {
  /** Answered: this was paid. */
  settle(usd: number): void;
  /** Refused by the endpoint (a whole HTTP error): nothing was charged. */
  release(): void;
  /** Outcome unknown (cut off, timed out): stays charged at its worst case. */
  abandon(): void;
}

export interface Purse {
  /**
   * Resolves once the worst case is set aside on this disk; waits while the run is at its cap. Throws the signal's
   * reason when it is aborted meanwhile.
   */
  reserve(worstUsd: number, signal: AbortSignal): Promise<Reservation>;
}
