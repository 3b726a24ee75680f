/**
 * Re-evaluate, a night of a schedule: resolve the model that is followed, evaluate it as a child, compare with the nights
 * of the series, keep the record, tell who wants to know. A night that finds a regression has not failed.
 */
import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  describeRun,
  reevaluateInputSchema,
  type EvaluateInput,
  type EvaluateResult,
  type NightResult,
  type NightTime,
  type Notification,
  type NotifyTarget,
  type ReevaluateInput,
  type ReevaluateResult,
} from '../contract/workflows.ts';
import { createBoard, type Board } from './board.ts';
import { reportedEvaluation, type evaluateModel } from './evaluateModel.ts';
import { parseOrFail, surface } from './failures.ts';
import { checks, control } from './stages.ts';
import { wants } from './nightTargets.ts';

const COMPARE = 'compare';
const NOTIFY = 'notify';
/** Set by the server on what a schedule starts. */
const SCHEDULED_START = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
/** Room for the night's time in the revision of an endpoint. */
const REVISION_CHARACTERS = 200;
/** Servers take signed 32-bit seeds. */
const MAX_SEED = 2 ** 31;

export async function reevaluate(input: unknown): Promise<ReevaluateResult> {
  const parsed = parseOrFail(reevaluateInputSchema, input);
  const evaluateLine = `evaluate ${parsed.series}`;
  const board = createBoard('reevaluate', [
    { name: evaluateLine, unit: 'samples' },
    { name: COMPARE, unit: 'files' },
    { name: NOTIFY, unit: 'files' },
  ]);
  try {
    const time = timeOf();
    board.begin(evaluateLine, 'which model?');
    const { searchAttributes } = await checks.control.describeEnvironment.executeWithOptions(
      { summary: 'is the store fit? what does the namespace know?' },
      [],
    );
    board.allowAttributes(searchAttributes);
    const { model, evaluation: asked } = await resolve(parsed, time);
    board.attributes({ SecpiRecipe: parsed.series, SecpiModel: model });
    board.update(evaluateLine, { note: `starting with ${model}` });
    const evaluated = await evaluate(asked, parsed.series);
    const costUsd = evaluated.reused ? 0 : evaluated.usage.costUsd;
    board.update(evaluateLine, lineOf(evaluated, costUsd));
    const night = await compare(board, parsed, model, time, evaluated);
    board.attributes({
      SecpiRegression: night.regression,
      SecpiReused: evaluated.reused,
      SecpiCostUsd: costUsd,
      ...(evaluated.funcSec === null ? {} : { SecpiFuncSec: evaluated.funcSec.value }),
    });
    const notified = await notifyAll(board, parsed.notify, night, time);
    return { ...night, costUsd, notified };
  } catch (error) {
    const cancelled = isCancellation(error);
    const state = cancelled ? 'cancelled' : 'failed';
    for (const name of [evaluateLine, COMPARE, NOTIFY])
      if (['running', 'paused'].includes(board.stage(name).state)) board.update(name, { state, note: state });
    throw cancelled ? error : surface(error);
  }
}

/** The same after a retry and after a reset: both keep what the first run began with. */
function timeOf(): NightTime {
  const { startTime, firstExecutionRunId, typedSearchAttributes } = workflowInfo();
  const at = startTime.toISOString();
  return {
    at,
    scheduledAt: typedSearchAttributes.get(SCHEDULED_START)?.toISOString() ?? at,
    firstRunId: firstExecutionRunId,
  };
}

interface Asked {
  /** Exact. */
  readonly model: string;
  readonly evaluation: Omit<EvaluateInput, 'label'>;
}

/**
 * Weights of one's own are the same every night as long as their fingerprint is. What an endpoint serves may move at any
 * time: it is asked anew, under a revision of this night alone, so that no earlier answer stands in.
 */
async function resolve(
  { version, reuse, model, endpoint, budget, evaluate: settings }: ReevaluateInput,
  { at }: NightTime,
): Promise<Asked> {
  const common = { version, reuse, evaluate: settings, ...(budget === undefined ? {} : { budget }) };
  if (endpoint !== undefined) {
    const revision = `${endpoint.revision.slice(0, REVISION_CHARACTERS)} ${at}`;
    // Draws of its own each night: one that honours seeds would repeat itself, and repeats are no evidence.
    const seed = (settings.sampling.seed + Math.floor(Date.parse(at) / 1000)) % MAX_SEED;
    const evaluate = { ...settings, sampling: { ...settings.sampling, seed } };
    return {
      model: endpoint.model,
      evaluation: { ...common, evaluate, endpoint: { ...endpoint, revision } },
    };
  }
  if (model === undefined) throw new Error('a night has a model or an endpoint');
  const { uri } = await control.resolveModel.executeWithOptions(
    { summary: `which model is ${model.uri} now?` },
    [{ uri: model.uri }],
  );
  return { model: uri, evaluation: { ...common, model: { ...model, uri } } };
}

async function evaluate(evaluation: Asked['evaluation'], series: string): Promise<EvaluateResult> {
  const { workflowId } = workflowInfo();
  return await executeChild<typeof evaluateModel>('evaluateModel', {
    args: [{ ...evaluation, label: series }],
    workflowId: `${workflowId}/evaluate`,
    staticSummary: `evaluation of ${workflowId}`,
    staticDetails: describeRun('evaluateModel', `${workflowId}/evaluate`),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

function lineOf({ artifact, reused }: EvaluateResult, costUsd: number): Parameters<Board['update']>[1] {
  return {
    state: reused ? 'reused' : 'done',
    done: artifact.rows,
    total: artifact.rows,
    costUsd,
    artifact: artifact.uri,
    note: reused ? 'the same weights as before: nothing was asked' : '',
  };
}

async function compare(
  board: Board,
  input: ReevaluateInput,
  model: string,
  time: NightTime,
  evaluated: EvaluateResult,
): Promise<NightResult> {
  board.begin(COMPARE, 'with the nights before');
  const night = await control.recordNight.executeWithOptions(
    { summary: `compare with the series ${input.series}, keep the night, write the report` },
    [{ input, model, time, evaluation: reportedEvaluation(evaluated) }],
  );
  board.update(COMPARE, {
    state: 'done',
    artifact: night.report.report.uri,
    note: [`${night.state}.`, ...night.sentences].join(' ').slice(0, 300),
  });
  return night;
}

/** What cannot be delivered is told in the result: the night stands. */
async function notifyAll(
  board: Board,
  targets: readonly NotifyTarget[],
  night: NightResult,
  { firstRunId }: NightTime,
): Promise<Notification[]> {
  // One receiver may be named for several occasions: it hears once.
  const wanted = targets
    .filter((target) => wants(target, night))
    .filter(
      ({ urlEnv, format }, index, all) =>
        all.findIndex((one) => one.urlEnv === urlEnv && one.format === format) === index,
    );
  board.begin(NOTIFY, wanted.length === 0 ? 'nobody asked to hear of such a night' : 'sending');
  const notified = await Promise.all(
    wanted.map(async (target): Promise<Notification> => {
      const { urlEnv, format } = target;
      try {
        await control.notify.executeWithOptions({ summary: `tell ${urlEnv} (${format}): ${night.state}` }, [
          { target, night, firstRunId },
        ]);
        return { urlEnv, delivered: true, problem: null };
      } catch (error) {
        if (isCancellation(error)) throw error;
        const told = surface(error);
        const problem = (told instanceof Error ? told.message : String(told)).slice(0, 500);
        return { urlEnv, delivered: false, problem };
      }
    }),
  );
  const lost = notified.filter(({ delivered }) => !delivered);
  board.update(NOTIFY, {
    state: 'done',
    done: notified.length - lost.length,
    total: notified.length,
    ...(lost.length === 0
      ? {}
      : { note: `not delivered: ${lost.map(({ urlEnv }) => urlEnv).join(', ')}; ${lost[0]?.problem ?? ''}` }),
  });
  return notified;
}
