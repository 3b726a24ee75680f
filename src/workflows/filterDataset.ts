/** Filter: dataset → rows in, exact duplicates out, then an LLM keeps the tasks where weaknesses lurk and names them. */
import { filterInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { checks, data, runShards } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

const STAGE = 'filter';

export async function filterDataset(input: unknown): Promise<StageResult> {
  const { dataset, filter, reuse } = parseOrFail(filterInputSchema, input);
  const board = createBoard('filterDataset', [{ name: STAGE, unit: 'rows' }]);
  return await stageWorkflow(board, STAGE, async () => {
    board.attributes({ SecpiDataset: dataset.name ?? dataset.uri, SecpiModel: filter.classifier.model });
    await checks.data.checkEndpoints.executeWithOptions(
      { summary: `is ${filter.classifier.model} reachable?` },
      [[{ field: 'filter.classifier', endpoint: filter.classifier }]],
    );
    const imported = await data.importDataset.executeWithOptions(
      { summary: `read ${dataset.name ?? dataset.uri}` },
      [{ dataset, reuse }],
    );
    const datasetUri = imported.artifact.uri;
    const opened = await data.openFilter.executeWithOptions(
      { summary: `take or reuse the filter artefact over ${imported.artifact.rows} rows` },
      [{ dataset: datasetUri, filter, reuse }],
    );
    if (opened.status === 'published') return opened.result;
    board.update(STAGE, { total: opened.rows, note: `${opened.shards} shards` });
    const { fingerprint, epoch, shards } = opened;
    await runShards(
      shards,
      filter.parallelShards,
      async (index) =>
        await data.classifyShard.executeWithOptions(
          { summary: `classify shard ${index + 1} of ${shards} with ${filter.classifier.model}` },
          [{ fingerprint, index, shardRows: filter.shardRows, input: datasetUri, filter }],
        ),
      ({ rows, bad, usage }) =>
        board.update(STAGE, { done: rows, costUsd: usage.costUsd, note: bad === 0 ? '' : `${bad} bad rows` }),
    );
    return await data.publishFilter.executeWithOptions({ summary: 'publish the kept tasks' }, [
      { dataset: datasetUri, filter, fingerprint, epoch, shards },
    ]);
  });
}
