/** Sweep: several trainings on the same traces, each a child of its own, compared by held-out loss. */
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { describeRun, sweepInputSchema, type SweepInput, type SweepResult } from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { parseOrFail, surface } from './failures.ts';
import type { fineTune } from './fineTune.ts';

type Line = SweepResult['trainings'][number];

export async function sweep(input: unknown): Promise<SweepResult> {
  const parsed = parseOrFail(sweepInputSchema, input);
  const board = createBoard(
    'sweep',
    parsed.trainings.map(({ name }) => ({ name, unit: 'steps' })),
  );
  const lines = await runAll(parsed, board);
  const trainings = lines.sort(
    (left, right) => rank(left) - rank(right) || left.name.localeCompare(right.name),
  );
  const best = trainings.find(({ evalLossAfter }) => evalLossAfter !== null)?.name ?? null;
  return { trainings, best };
}

/** A training that fails is a line of the result; the others go on. */
async function runAll({ trainings, parallel, ...shared }: SweepInput, board: Board): Promise<Line[]> {
  const waiting = [...trainings];
  const lines: Line[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      lines.push(await runOne(next, shared, board));
  };
  await CancellationScope.cancellable(
    async () => await Promise.all(Array.from({ length: Math.min(parallel, trainings.length) }, lane)),
  );
  return lines;
}

async function runOne(
  { name, finetune }: SweepInput['trainings'][number],
  { traces, reuse }: Pick<SweepInput, 'traces' | 'reuse'>,
  board: Board,
): Promise<Line> {
  const nothing = {
    name,
    artifact: null,
    evalLossAfter: null,
    guardLossBefore: null,
    guardLossAfter: null,
    steps: null,
    gpuHours: null,
    error: null,
  };
  const workflowId = `${workflowInfo().workflowId}/${name}`;
  board.begin(name, 'starting');
  try {
    const result = await executeChild<typeof fineTune>('fineTune', {
      args: [{ version: 1, reuse, traces, finetune }, { line: name }],
      workflowId,
      staticSummary: `training ${name} of ${workflowInfo().workflowId}`,
      staticDetails: describeRun('fineTune', workflowId),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    const { artifact, reused, evalLossAfter, guardLossBefore, guardLossAfter, steps, gpuHours } = result;
    board.update(name, {
      state: reused ? 'reused' : 'done',
      done: steps,
      total: steps,
      artifact: artifact.uri,
      note: evalLossAfter === null ? '' : `held-out loss ${evalLossAfter.toFixed(4)}`,
    });
    return {
      ...nothing,
      artifact: artifact.uri,
      evalLossAfter,
      guardLossBefore,
      guardLossAfter,
      steps,
      gpuHours,
    };
  } catch (error) {
    // A child that somebody cancelled alone is a line as well.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
      board.update(name, { state: 'cancelled', note: 'cancelled' });
      throw error;
    }
    const told = surface(error);
    const message = told instanceof Error ? told.message : String(told);
    board.update(name, { state: 'failed', note: message.slice(0, 300) });
    return { ...nothing, error: message.slice(0, 1000) };
  }
}

function rank({ evalLossAfter, error }: Line): number {
  if (error !== null) return Number.MAX_VALUE;
  return evalLossAfter ?? Number.MAX_VALUE / 2;
}
