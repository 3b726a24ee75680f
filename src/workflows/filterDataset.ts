/** Filter: dataset → rows in, duplicates and benchmark rows out, then an LLM keeps the tasks where weaknesses lurk and names them. */
import { filterInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { runShardedStage, type StageContext } from './shardedStage.ts';
import { checks, control, data, endpointsOf, EVENTS_PER_ACTIVITY, importRows } from './stages.ts';

const STAGE = 'filter';

/** Second argument: what a parent hands over. Never written by people. */
export interface FilterContext extends StageContext {
  /** uri of rows to filter instead of all that the dataset holds. */
  readonly rows?: string;
}

export async function filterDataset(input: unknown, context: FilterContext = {}): Promise<StageResult> {
  const { dataset, filter, reuse, budget } = parseOrFail(filterInputSchema, input);
  const { classifier, calibration } = filter;
  const asks = filter.mode === 'classifier';
  const board = createBoard('filterDataset', [{ name: STAGE, unit: 'rows' }]);
  let labelsSha256: string | null = null;
  return await runShardedStage({
    name: STAGE,
    board,
    context,
    reuse,
    workflowInput: input,
    capUsd: budget?.capUsd ?? null,
    parallelShards: filter.parallelShards,
    eventsPerShard: EVENTS_PER_ACTIVITY,
    prepare: async () => {
      board.attributes({ SecpiDataset: dataset.name ?? dataset.uri, SecpiModel: classifier.model });
      if (asks) {
        await checks.data.checkEndpoints.executeWithOptions(
          { summary: `is ${classifier.model} reachable?` },
          [endpointsOf({ filter })],
        );
      }
      return context.rows ?? (await importRows(board, STAGE, dataset, reuse));
    },
    open: async (rows, opening) => {
      if (asks && calibration !== undefined) {
        labelsSha256 = await data.hashLabels.executeWithOptions({ summary: 'read the labelled rows' }, [
          { calibration },
        ]);
      }
      return await control.openFilter.executeWithOptions({ summary: 'take or reuse the filter artefact' }, [
        { ...opening, dataset: rows, filter, labelsSha256 },
      ]);
    },
    prove: async (fingerprint, holder) => {
      if (!asks || calibration === undefined) return;
      await data.calibrateFilter.executeWithOptions(
        { summary: `does ${classifier.model} agree with the labelled rows?` },
        [{ fingerprint, filter, budget: holder }],
      );
    },
    runShard: async (task, label) =>
      await data.classifyShard.executeWithOptions(
        { summary: asks ? `classify shard ${label} with ${classifier.model}` : `keep shard ${label} whole` },
        [{ ...task, shardRows: filter.shardRows, filter }],
      ),
    publish: async (rows, publication) =>
      await data.publishFilter.executeWithOptions({ summary: 'publish the kept tasks' }, [
        { ...publication, dataset: rows, filter, labelsSha256 },
      ]),
  });
}
