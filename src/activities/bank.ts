/** The workflow that holds a budget, as a purse reaches it: tranches by update, settlements by signal, looks by query. */
import {
  Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  budgetQueryName,
  grantTrancheUpdateName,
  settleTrancheSignalName,
  type BudgetState,
  type TrancheAnswer,
  type TrancheRequest,
  type TrancheSettlement,
} from '../contract/workflows.ts';
import { HolderGoneError, type Bank, type PurseHolder } from '../services/budget/types.ts';

/** A call that takes longer is given up and tried again by the purse, under the same id. */
const DEADLINE_MS = 20_000;
/** How Temporal calls an update that its workflow ended, or continued as new, before it was handled. */
const CUT_OFF = new Set(['AcceptedUpdateCompletedWorkflow', 'UpdateDuringWorkflowCompletion']);

/**
 * Asks the current run of the holder's workflow: `runId` is left out, since a long run continues as new. The tranche's
 * id is the update's, so that a call that is repeated within a run is answered by what it got the first time; the
 * workflow itself remembers it across runs. Throws HolderGoneError when the workflow has ended.
 */
export function temporalBank(
  worker: Client,
  holder: Pick<PurseHolder, 'workflowId'> & Partial<PurseHolder>,
): Bank {
  const { namespace = worker.options.namespace } = holder;
  // A tranche that is found on this disk may be of a run in another namespace than this worker's.
  const client =
    namespace === worker.options.namespace
      ? worker
      : new Client({ connection: worker.connection, namespace });
  const handle = client.workflow.getHandle(holder.workflowId);
  const within = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + DEADLINE_MS, call);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw new HolderGoneError(holder, { cause: error });
      if (isCutOff(error) && (await hasEnded(handle))) throw new HolderGoneError(holder, { cause: error });
      throw error;
    }
  };
  return {
    grant: async (request) =>
      await within(
        async () =>
          await handle.executeUpdate<TrancheAnswer, [TrancheRequest]>(grantTrancheUpdateName, {
            updateId: request.id,
            args: [request],
          }),
      ),
    state: async () => await within(async () => await handle.query<BudgetState>(budgetQueryName)),
    settle: async (settlement) =>
      await within(async () => await handle.signal<[TrancheSettlement]>(settleTrancheSignalName, settlement)),
  };
}

function isCutOff(error: unknown): boolean {
  return (
    error instanceof WorkflowUpdateFailedError &&
    error.cause instanceof ApplicationFailure &&
    CUT_OFF.has(error.cause.type ?? '')
  );
}

async function hasEnded(handle: WorkflowHandle): Promise<boolean> {
  const { status } = await handle.describe();
  return status.name !== 'RUNNING';
}
