/** Evaluate: generate a fixed set of samples in fixed batches, grade them in the sandbox, publish verdicts and scores. */
import { evaluateInputSchema, type EvaluateResult } from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { parseOrFail } from './failures.ts';
import { checks, gpuOn, runShards, sandbox, untilFree } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';

/** Grading activities at a time over all sandbox workers. */
const PARALLEL_GRADE_SHARDS = 32;

export async function evaluateModel(input: unknown): Promise<EvaluateResult> {
  const { model, label, evaluate, reuse } = parseOrFail(evaluateInputSchema, input);
  const stage = `evaluate ${label}`;
  const board = createBoard('evaluateModel', [{ name: stage, unit: 'samples' }]);
  return await stageWorkflow(board, stage, async () => {
    board.attributes({ SecpiModel: model.uri });
    await checks.sandbox.checkBenchmarks.executeWithOptions(
      { summary: `can ${evaluate.benchmarks.join(', ')} be graded?` },
      [{ benchmarks: evaluate.benchmarks, field: 'evaluate.benchmarks' }],
    );
    board.update(stage, { note: 'waiting for a free GPU worker' });
    const generated = await untilFree(
      board,
      stage,
      'generates the same samples',
      async () =>
        await gpuOn(evaluate.gpu.class, { patient: true }).generateSamples.executeWithOptions(
          { summary: `generate samples of the ${label} model` },
          [{ model, evaluate, reuse, stage }],
        ),
    );
    const generation = generated.artifact;
    const opened = await untilFree(
      board,
      stage,
      'grades the same samples',
      async () =>
        await sandbox.openEvaluation.executeWithOptions(
          { summary: `take or reuse the grading of ${generation.rows} samples` },
          [{ generation: generation.uri, stage, evaluate, reuse }],
        ),
    );
    const graded = opened.status === 'published' ? opened.result : await grade(opened);
    board.attributes({ SecpiFuncSec: graded.funcSec.value });
    return {
      ...graded,
      generation,
      generationReused: generated.reused,
      reused: graded.reused && generated.reused,
      seconds: (graded.reused ? 0 : graded.seconds) + (generated.reused ? 0 : generated.seconds),
    };

    async function grade({
      fingerprint,
      epoch,
      shards,
      rows,
    }: {
      fingerprint: string;
      epoch: number;
      shards: number;
      rows: number;
    }) {
      board.update(stage, { done: 0, total: rows, note: 'grading' });
      await runShards(
        { from: 0, to: shards, parallel: PARALLEL_GRADE_SHARDS },
        async (index) =>
          await sandbox.gradeShard.executeWithOptions({ summary: `grade shard ${index + 1} of ${shards}` }, [
            { fingerprint, index, generation: generation.uri, evaluate },
          ]),
        (totals) => board.update(stage, { done: totals.rows }),
      );
      return await sandbox.publishEvaluation.executeWithOptions({ summary: 'publish verdicts and scores' }, [
        { generation: generation.uri, evaluate, fingerprint, epoch, shards },
      ]);
    }
  });
}
