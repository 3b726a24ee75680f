/** Distil: a teacher reasons about each kept task; what passes the trace checks becomes a training pair. */
import { distillInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { checks, data, runShards } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

const STAGE = 'distil';

export async function distillTraces(input: unknown): Promise<StageResult> {
  const { filtered, distill, reuse } = parseOrFail(distillInputSchema, input);
  const board = createBoard('distillTraces', [{ name: STAGE, unit: 'traces' }]);
  return await stageWorkflow(board, STAGE, async () => {
    board.attributes({ SecpiModel: distill.teacher.model });
    await checks.data.checkEndpoints.executeWithOptions(
      { summary: `is ${distill.teacher.model} reachable?` },
      [[{ field: 'distill.teacher', endpoint: distill.teacher }]],
    );
    const opened = await data.openTraces.executeWithOptions(
      { summary: 'take or reuse the traces artefact' },
      [{ filtered, distill, reuse }],
    );
    if (opened.status === 'published') return opened.result;
    const { fingerprint, epoch, shards } = opened;
    board.update(STAGE, { total: opened.rows, note: `${shards} shards` });
    await runShards(
      shards,
      distill.parallelShards,
      async (index) =>
        await data.distilShard.executeWithOptions(
          { summary: `distil shard ${index + 1} of ${shards} with ${distill.teacher.model}` },
          [{ fingerprint, index, shardRows: distill.shardRows, input: filtered, distill }],
        ),
      ({ rows, bad, usage }) =>
        board.update(STAGE, { done: rows, costUsd: usage.costUsd, note: bad === 0 ? '' : `${bad} bad rows` }),
    );
    return await data.publishTraces.executeWithOptions({ summary: 'publish the verified traces' }, [
      { filtered, distill, fingerprint, epoch, shards },
    ]);
  });
}
