/**
 * Fine-tune: attempts at one training until it is finished. Each attempt resumes where the last one is safe in the
 * store (or adopts the trainer that outlived it); what an attempt ended with decides what follows (trainingBudget.ts).
 */
import {
  allHandlersFinished,
  type ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttemptEnd, OpenedTraining } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import {
  fineTuneInputSchema,
  gpuQueue,
  type FineTuneInput,
  type FineTuneResult,
} from '../contract/workflows.ts';
import { createBoard } from './board.ts';
import { classifyLoss, parseOrFail, toFailure } from './failures.ts';
import { control, gpuOn, patientControl, untilFree } from './stages.ts';
import { stageWorkflow } from './stageWorkflow.ts';
import { afterLoss, firstAttempt, gpuClassOf, nothingYet, type Attempts } from './trainingBudget.ts';
import { createTrainingControl, type ControlSnapshot, type TrainingControl } from './trainingControl.ts';

const STAGE = 'fine-tune';
/** A run of many preemptions goes on as a new one between two attempts, long before the server's limit of 51,200. */
const MAX_EVENTS = 10_000;

/** What a run hands to the one that goes on. */
interface Resumed {
  readonly fingerprint: string;
  readonly attempts: Attempts;
  readonly control: ControlSnapshot;
  readonly startedAt: string;
}

export interface FineTuneContext {
  /** How the parent calls this training. */
  readonly line?: string;
  readonly resumed?: Resumed;
}

export async function fineTune(input: unknown, context: FineTuneContext = {}): Promise<FineTuneResult> {
  const parsed = parseOrFail(fineTuneInputSchema, input);
  const { resumed } = context;
  const board = createBoard('fineTune', [{ name: STAGE, unit: 'steps' }], {
    onTold: (stage, patch) => training.onTold(stage, patch),
    nameInParent: () => context.line ?? STAGE,
  });
  const startedAt = resumed?.startedAt ?? workflowInfo().startTime.toISOString();
  const training = createTrainingControl({
    board,
    stage: STAGE,
    limits: parsed.finetune.limits,
    startedAt,
    resumed: resumed?.control ?? null,
  });
  return await stageWorkflow(board, STAGE, async () => {
    board.attributes({ SecpiModel: parsed.finetune.model.uri });
    const { firstExecutionRunId: firstRun } = workflowInfo();
    const run = { parsed, context, training, startedAt, firstRun, board };
    const opened = resumed === undefined ? await openWhenFree(run) : null;
    if (opened?.status === 'published') return await register(run, opened.result);
    const fingerprint = resumed?.fingerprint ?? opened?.fingerprint ?? '';
    if (opened !== null) training.savedAt(opened.record.newestCheckpoint);
    const first = resumed?.attempts ?? firstAttempt(parsed.finetune, opened?.record);
    try {
      return await register(run, await train(run, fingerprint, first));
    } finally {
      // Updates under way get their answer.
      await CancellationScope.nonCancellable(async () => await condition(allHandlersFinished));
    }
  });
}

interface Run {
  readonly parsed: FineTuneInput;
  readonly context: FineTuneContext;
  readonly training: TrainingControl;
  readonly board: ReturnType<typeof createBoard>;
  readonly startedAt: string;
  readonly firstRun: string;
}

async function openWhenFree({ parsed, board, firstRun }: Run): Promise<OpenedTraining> {
  const { traces, finetune, reuse } = parsed;
  board.update(STAGE, { note: waitingNote(finetune.gpu.class) });
  const gpu = gpuOn(finetune.gpu.class, {
    patient: true,
    waitMs: hours(finetune.limits.maxCapacityWaitHours),
  });
  try {
    return await untilFree(
      board,
      STAGE,
      'trains the same model',
      async () =>
        await gpu.openTraining.executeWithOptions({ summary: `look for ${finetune.model.uri}` }, [
          { traces, finetune, reuse, firstRun },
        ]),
    );
  } catch (error) {
    const loss = classifyLoss(error);
    if (loss.kind !== 'noCapacity') throw error;
    const verdict = afterLoss(firstAttempt(finetune), loss, nothingYet, finetune);
    throw verdict.kind === 'end' && verdict.failure !== null ? failed(verdict.failure) : error;
  }
}

async function train(run: Run, fingerprint: string, first: Attempts): Promise<FineTuneResult> {
  const { parsed, training, board } = run;
  const { finetune } = parsed;
  let attempts = first;
  for (;;) {
    await training.untilWanted();
    if (workflowInfo().historyLength > MAX_EVENTS) await goOn(run, fingerprint, attempts);
    try {
      const end = await attempt(run, fingerprint, attempts);
      if (end?.status === 'trained')
        return { ...end.result, ...training.totals(), preemptions: attempts.preemptions };
      // Paused, before it began or at a step: the next one waits until it is wanted.
      if (end !== null) training.savedAt(end.step);
      attempts = { ...attempts, attempt: attempts.attempt + 1 };
    } catch (error) {
      const loss = classifyLoss(error);
      if (loss.kind === 'cancelled') throw error;
      // Nobody was there to hear of the pause, and nothing runs.
      if (loss.kind === 'noCapacity' && training.isPaused()) continue;
      if (loss.kind !== 'noCapacity') training.heardLast(loss.told);
      if (loss.kind === 'error' && loss.code === 'NOTHING_TRAINED' && training.refuseStop()) {
        attempts = { ...attempts, attempt: attempts.attempt + 1 };
        continue;
      }
      const record = await patientControl.readTraining.executeWithOptions(
        { summary: 'how far is it in the store?' },
        [{ fingerprint }],
      );
      training.savedAt(record.newestCheckpoint);
      const verdict = afterLoss(attempts, loss, record, finetune);
      if (verdict.kind === 'end') throw verdict.failure === null ? error : failed(verdict.failure, error);
      attempts = verdict.attempts;
      board.update(STAGE, {
        note: verdict.note,
        training: {
          preemptions: attempts.preemptions,
          ...(record.newestCheckpoint === 0 ? {} : { lastCheckpoint: record.newestCheckpoint }),
        },
      });
      if (verdict.pauseMs > 0) await sleep(verdict.pauseMs);
    }
  }
}

/** One attempt; null when it was called back before a worker began it. */
async function attempt(run: Run, fingerprint: string, attempts: Attempts): Promise<AttemptEnd | null> {
  const { parsed, training, firstRun, startedAt, board } = run;
  const { traces, finetune, reuse } = parsed;
  const { limits, model } = finetune;
  const gpuClass = gpuClassOf(attempts, finetune);
  if (attempts.attempt === 1) board.update(STAGE, { note: waitingNote(gpuClass) });
  const where = gpuClass === undefined ? '' : ` on ${gpuClass}`;
  const resumes = attempts.attempt === 1 ? '' : `, attempt ${attempts.attempt}: resumes`;
  const scope = new CancellationScope();
  try {
    return await training.during(attempts.attempt, scope, async () =>
      scope.run(
        async () =>
          await gpuOn(gpuClass, {
            patient: false,
            waitMs: hours(limits.maxCapacityWaitHours),
          }).trainModel.executeWithOptions({ summary: `train ${model.uri}${where}${resumes}` }, [
            {
              traces,
              finetune,
              reuse,
              firstRun,
              fingerprint,
              attempt: attempts.attempt,
              microBatchRows: attempts.microBatchRows,
              rollbacks: attempts.rollbacks,
              runStartedAt: startedAt,
            },
          ]),
      ),
    );
  } catch (error) {
    if (isCancellation(error) && training.calledBack()) return null;
    throw error;
  }
}

async function register({ parsed, board }: Run, result: FineTuneResult): Promise<FineTuneResult> {
  const { register: wanted } = parsed.finetune;
  if (wanted === undefined) return result;
  board.update(STAGE, { note: `registering as ${wanted.name}` });
  const registered = await control.registerModel.executeWithOptions({ summary: `register ${wanted.name}` }, [
    { artifact: result.artifact.uri, register: wanted },
  ]);
  return { ...result, registered };
}

/** Only between attempts: no activity is under way. */
async function goOn(run: Run, fingerprint: string, attempts: Attempts): Promise<never> {
  await condition(allHandlersFinished);
  const resumed: Resumed = {
    fingerprint,
    attempts,
    control: run.training.snapshot(),
    startedAt: run.startedAt,
  };
  return await continueAsNew<typeof fineTune>(run.parsed, { ...run.context, resumed });
}

function waitingNote(gpuClass: string | undefined): string {
  return `waiting for a free GPU worker${gpuClass === undefined ? '' : ` of class ${gpuClass}`} (queue ${gpuQueue(gpuClass)})`;
}

function hours(amount: number): number {
  return Math.ceil(amount * 3_600_000);
}

function failed(
  { code, problem }: { readonly code: SecpiError['code']; readonly problem: string },
  cause?: unknown,
): ApplicationFailure {
  return toFailure(new SecpiError(code, problem, { cause }));
}
