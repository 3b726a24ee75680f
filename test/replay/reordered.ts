/** The filter workflow with two steps in another order: the replay test must catch exactly this. */
import type { Busy } from '../../src/contract/activities.ts';
import { filterInputSchema, type StageResult } from '../../src/contract/workflows.ts';
import { parseOrFail } from '../../src/workflows/failures.ts';
import { checks, data } from '../../src/workflows/stages.ts';

export async function filterDataset(input: unknown): Promise<StageResult | Busy> {
  const { dataset, filter, reuse } = parseOrFail(filterInputSchema, input);
  const imported = await data.importDataset({ dataset, reuse });
  await checks.control.describeEnvironment();
  await checks.data.checkEndpoints([{ field: 'filter.classifier', endpoint: filter.classifier }]);
  return imported;
}
