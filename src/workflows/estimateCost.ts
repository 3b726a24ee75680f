/** What filter and distil of a recipe will cost: a sample is asked, the rest is reckoned. Changes nothing but the ledger. */
import { isCancellation } from '@temporalio/workflow';
import { estimateInputSchema, type Estimate } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail, surface } from './failures.ts';
import { checks, data, endpointsOf, importRows } from './stages.ts';

const STAGE = 'estimate';

export async function estimateCost(input: unknown): Promise<Estimate> {
  const estimate = parseOrFail(estimateInputSchema, input);
  const { dataset, filter, distill, reuse } = estimate;
  const board = createBoard('estimateCost', [{ name: STAGE, unit: 'rows' }]);
  try {
    board.begin(STAGE, 'checking');
    const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
      { summary: 'is the store fit? what does the namespace know?' },
      [],
    );
    board.allowAttributes(searchAttributes);
    board.attributes({ SecpiDataset: dataset.name ?? dataset.uri, SecpiModel: distill.teacher.model });
    await checks.data.checkEndpoints.executeWithOptions(
      { summary: 'are classifier and teacher reachable?' },
      [endpointsOf({ filter, distill })],
    );
    const uri = await importRows(board, STAGE, dataset, reuse);
    board.update(STAGE, { note: 'asking a sample' });
    const result = await data.estimateCost.executeWithOptions(
      { summary: 'ask a sample of the rows, reckon the rest' },
      [{ dataset: uri, estimate }],
    );
    board.update(STAGE, {
      state: 'done',
      costUsd: result.paidUsd,
      note: `the run will pay about $${result.costUsd.toFixed(2)} ($${result.lowUsd.toFixed(2)} to $${result.highUsd.toFixed(2)})`,
    });
    return result;
  } catch (error) {
    const cancelled = isCancellation(error);
    board.update(STAGE, { state: cancelled ? 'cancelled' : 'failed' });
    throw cancelled ? error : surface(error);
  }
}
