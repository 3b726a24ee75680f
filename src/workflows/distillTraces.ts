/** Distil: a teacher reasons about each kept task; the best answer that passes the trace checks becomes a training pair. */
import type { ShardResult } from '../contract/activities.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import type { Part } from '../contract/refs.ts';
import { distillInputSchema, type StageResult } from '../contract/workflows.ts';
import { createBoard, familiesOf, type Board } from './board.ts';
import { parseOrFail } from './failures.ts';
import { runShardedStage, type StageContext, type StageShard } from './shardedStage.ts';
import { checks, control, data, endpointsOf, EVENTS_PER_ACTIVITY, sandbox } from './stages.ts';

const STAGE = 'distil';

export async function distillTraces(input: unknown, context: StageContext = {}): Promise<StageResult> {
  const { filtered, distill, reuse, budget } = parseOrFail(distillInputSchema, input);
  const { teacher, samples, oracles } = distill;
  const board = createBoard('distillTraces', [{ name: STAGE, unit: 'traces' }]);
  // Asked, tested, asked again: at most once a sample, and once more to end it.
  const rounds = oracles.tests === 'off' ? 1 : 2 * samples.n + 1;
  return await runShardedStage({
    name: STAGE,
    board,
    context,
    reuse,
    workflowInput: input,
    capUsd: budget?.capUsd ?? null,
    parallelShards: distill.parallelShards,
    eventsPerShard: EVENTS_PER_ACTIVITY * rounds,
    prepare: async () => {
      board.attributes({ SecpiModel: teacher.model, ...familiesOf(distill) });
      await checks.data.checkEndpoints.executeWithOptions({ summary: `is ${teacher.model} reachable?` }, [
        endpointsOf({ distill }),
      ]);
      await checks.data.checkOracles.executeWithOptions({ summary: 'are the analysers there?' }, [
        { distill },
      ]);
      return filtered;
    },
    open: async (_, opening) =>
      await control.openTraces.executeWithOptions({ summary: 'take or reuse the traces artefact' }, [
        { ...opening, filtered, distill },
      ]),
    runShard: async (task, label) => await distilShard(board, task, label, distill),
    publish: async (_, publication) =>
      await data.publishTraces.executeWithOptions({ summary: 'publish the verified traces' }, [
        { ...publication, filtered, distill },
      ]),
  });
}

/** Candidates whose tasks bring tests run them in the sandbox, and come back with the verdicts. */
async function distilShard(
  board: Board,
  task: StageShard,
  label: string,
  distill: DistillSettings,
): Promise<ShardResult> {
  const verdicts: Part[] = [];
  for (;;) {
    const round = verdicts.length === 0 ? '' : `, after ${verdicts.length} rounds of tests`;
    const outcome = await data.distilShard.executeWithOptions(
      { summary: `distil shard ${label} with ${distill.teacher.model}${round}` },
      [{ ...task, shardRows: distill.shardRows, distill, verdicts }],
    );
    if (outcome.status === 'done') return outcome.result;
    // Where no sandbox worker runs, this is what the stage stands at.
    board.update(STAGE, { note: `answers of shard ${label} run their tests on a sandbox worker` });
    const tested = await sandbox.testTraces.executeWithOptions(
      { summary: `run the tests of ${outcome.candidates.rows} tasks against their answers, shard ${label}` },
      [{ fingerprint: task.fingerprint, candidates: outcome.candidates }],
    );
    verdicts.push(tested.verdicts);
  }
}
