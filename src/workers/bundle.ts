/** The workflow bundle: made once at a worker's start, without webpack's chatter. */
import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { programPath } from './command.ts';

export async function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return await bundleWorkflowCode({
    workflowsPath: programPath(resolve(import.meta.dirname, '../..'), 'src/workflows/index'),
    logger: new DefaultLogger('WARN'),
  });
}
