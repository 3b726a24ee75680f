/** What the Temporal UI shows of a run beside its id: fixed at its start, the same from every place that starts one. */
import {
  budgetQueryName,
  checkpointNowUpdateName,
  pauseUpdateName,
  progressQueryName,
  raiseBudgetUpdateName,
  resumeUpdateName,
  stopEarlyUpdateName,
  type WorkflowType,
} from './names.ts';
import { approveUpdateName } from './refreshData.ts';

const spends = { queries: [budgetQueryName], updates: [raiseBudgetUpdateName] };
const silent = { queries: [], updates: [] };
/** Besides `progress`, which every workflow answers. */
const handles: Readonly<
  Record<WorkflowType, { readonly queries: readonly string[]; readonly updates: readonly string[] }>
> = {
  secpi: spends,
  filterDataset: spends,
  distillTraces: spends,
  fineTune: {
    queries: [],
    updates: [checkpointNowUpdateName, pauseUpdateName, resumeUpdateName, stopEarlyUpdateName],
  },
  sweep: silent,
  evaluateModel: spends,
  askModel: spends,
  estimateCost: silent,
  reevaluate: silent,
  refreshData: { ...spends, updates: [...spends.updates, approveUpdateName] },
  experiment: spends,
};

/** Markdown: how this very run is asked, told and ended, and where its page is. */
export function describeRun(type: WorkflowType, workflowId: string): string {
  const { queries, updates } = handles[type];
  const id = `--workflow-id '${workflowId}'`;
  return [
    `**${type}**: input, output and failures are in \`docs/workflows/${type}.md\`.`,
    '',
    ...[progressQueryName, ...queries].map((name) => `- \`temporal workflow query ${id} --type ${name}\``),
    ...(updates.length === 0
      ? []
      : [`- \`temporal workflow update execute ${id} --name …\`: ${updates.join(', ')}`]),
    `- \`temporal workflow cancel ${id}\` ends it in order; what is finished stays.`,
  ].join('\n');
}
