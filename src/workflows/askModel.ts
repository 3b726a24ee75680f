/** Ask: every row of a dataset as it stands through one model; the engine of filter and distil without their methods. */
import { askInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { runShardedStage, type StageContext } from './shardedStage.ts';
import { checks, control, data, EVENTS_PER_ACTIVITY, importRows } from './stages.ts';

const STAGE = 'ask';

export async function askModel(input: unknown, context: StageContext = {}): Promise<StageResult> {
  const ask = parseOrFail(askInputSchema, input);
  const { dataset, model, reuse } = ask;
  const board = createBoard('askModel', [{ name: STAGE, unit: 'rows' }]);
  return await runShardedStage({
    name: STAGE,
    board,
    context,
    reuse,
    workflowInput: input,
    capUsd: ask.budget?.capUsd ?? null,
    parallelShards: ask.parallelShards,
    eventsPerShard: EVENTS_PER_ACTIVITY,
    prepare: async () => {
      board.attributes({ SecpiDataset: dataset.name ?? dataset.uri, SecpiModel: model.model });
      await checks.data.checkEndpoints.executeWithOptions({ summary: `is ${model.model} reachable?` }, [
        [{ field: 'model', endpoint: model }],
      ]);
      return await importRows(board, STAGE, dataset, reuse);
    },
    open: async (rows, opening) =>
      await control.openAnswers.executeWithOptions({ summary: 'take or reuse the answers artefact' }, [
        { ...opening, dataset: rows, ask },
      ]),
    runShard: async (task, label) =>
      await data.answerShard.executeWithOptions({ summary: `ask ${model.model}, shard ${label}` }, [
        { ...task, shardRows: ask.shardRows, ask },
      ]),
    publish: async (rows, publication) =>
      await data.publishAnswers.executeWithOptions({ summary: 'publish the answers' }, [
        { ...publication, dataset: rows, ask },
      ]),
  });
}
