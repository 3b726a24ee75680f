/** A run by what a person calls it, and what it gave back. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import { reportFilesSchema, type ReportFiles } from '../../contract/workflows.ts';

/** The newest run of the id. Throws ARTIFACT_NOT_FOUND. */
export async function findRun(client: Client, workflowId: string): Promise<WorkflowExecutionDescription> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === 'WorkflowNotFoundError')) throw cause;
    throw new SecpiError(
      'ARTIFACT_NOT_FOUND',
      `there is no run "${workflowId}" in the namespace "${client.options.namespace}".`,
      { field: 'RUN', remedy: 'Name a workflow id; `npx secpi runs` lists them.', cause },
    );
  }
}

/** The result of a run that has ended well. Throws ARTIFACT_NOT_FOUND where it has not. */
export async function resultOfRun(client: Client, run: WorkflowExecutionDescription): Promise<unknown> {
  const { workflowId, runId, status } = run;
  if (status.name === 'COMPLETED') return await client.workflow.getHandle(workflowId, runId).result();
  throw status.name === 'RUNNING'
    ? new SecpiError('ARTIFACT_NOT_FOUND', `the run "${workflowId}" goes on.`, {
        field: 'RUN',
        remedy: `Wait for its end: npx secpi runs follow ${workflowId}`,
      })
    : new SecpiError(
        'ARTIFACT_NOT_FOUND',
        `the run "${workflowId}" ended without a result (${status.name.toLowerCase()}).`,
        { field: 'RUN', remedy: `Look why: npx secpi runs follow ${workflowId}` },
      );
}

/** A chain gives the files themselves, others hold them under `report`. */
const reportedSchema = z.union([
  z.looseObject(reportFilesSchema.shape),
  z.looseObject({ report: reportFilesSchema }).transform(({ report }) => report),
]);

/** Null of a run that writes no report. */
export function reportFilesOf(result: unknown): ReportFiles | null {
  const parsed = reportedSchema.safeParse(result);
  if (!parsed.success) return null;
  const { summary, report, markdown } = parsed.data;
  return { summary, report, markdown };
}
