/** Filter: dataset → rows in, duplicates and benchmark rows out, then an LLM keeps the tasks where weaknesses lurk and names them. */
import { filterInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { runShardedStage, type StageContext } from './shardedStage.ts';
import { checks, data, endpointsOf } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

const STAGE = 'filter';

export async function filterDataset(input: unknown, context: StageContext = {}): Promise<StageResult> {
  const { dataset, filter, reuse, budget } = parseOrFail(filterInputSchema, input);
  const { classifier } = filter;
  const asks = filter.mode === 'classifier';
  const board = createBoard('filterDataset', [{ name: STAGE, unit: 'rows' }]);
  return await stageWorkflow(
    board,
    STAGE,
    async () =>
      await runShardedStage({
        name: STAGE,
        board,
        context,
        workflowInput: input,
        capUsd: budget?.capUsd ?? null,
        parallelShards: filter.parallelShards,
        prepare: async () => {
          board.attributes({ SecpiDataset: dataset.name ?? dataset.uri, SecpiModel: classifier.model });
          if (asks) {
            await checks.data.checkEndpoints.executeWithOptions(
              { summary: `is ${classifier.model} reachable?` },
              [endpointsOf({ filter })],
            );
          }
          const { artifact } = await data.importDataset.executeWithOptions(
            { summary: `read ${dataset.name ?? dataset.uri}` },
            [{ dataset, reuse }],
          );
          return artifact.uri;
        },
        open: async (rows, firstRun) =>
          await data.openFilter.executeWithOptions({ summary: 'take or reuse the filter artefact' }, [
            { dataset: rows, filter, reuse, firstRun },
          ]),
        prove: async (fingerprint, holder) => {
          if (!asks || filter.calibration === undefined) return;
          await data.calibrateFilter.executeWithOptions(
            { summary: `does ${classifier.model} agree with the labelled rows?` },
            [{ fingerprint, filter, budget: holder }],
          );
        },
        runShard: async (task, label) =>
          await data.classifyShard.executeWithOptions(
            {
              summary: asks
                ? `classify shard ${label} with ${classifier.model}`
                : `keep shard ${label} whole`,
            },
            [{ ...task, shardRows: filter.shardRows, filter }],
          ),
        publish: async (rows, publication) =>
          await data.publishFilter.executeWithOptions({ summary: 'publish the kept tasks' }, [
            { ...publication, dataset: rows, filter },
          ]),
      }),
  );
}
