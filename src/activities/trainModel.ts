/** One attempt at a training: takes its head, adopts or starts a trainer, publishes the model. */
import { Context } from '@temporalio/activity';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptEnd, TrainingAttempt } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Owner } from '../contract/refs.ts';
import { controlQueryName, type Control } from '../contract/workflows.ts';
import type { TrainingClaim } from '../services/store/index.ts';
import { liveTrainer } from '../services/train/earlierTrainer.ts';
import { pythonEnv } from '../services/train/pythonEnv.ts';
import { runTraining } from '../services/train/runTraining.ts';
import type { AttemptFigures, TrainingHost, TrainingOutcome } from '../services/train/training.ts';
import { isRunOpen, publishArtifact, resultOf, takeAgain, type TakeRequest } from './artefactStage.ts';
import { trainingsDir, type GpuDeps } from './deps.ts';
import { fineTuneResult, modelContent } from './modelArtifact.ts';
import type { ActivityRun } from './runActivity.ts';
import { recordAttempt } from './trainingAttempts.ts';
import { STAGE, trainingInputs, trainingRequest, type TrainingInputs } from './trainingTask.ts';

const POLL_CONTROL_MS = 2000;
const FIRST_CONTROL_WITHIN_MS = 5000;

export async function trainModel(
  deps: GpuDeps,
  activity: ActivityRun,
  attempt: TrainingAttempt,
): Promise<AttemptEnd> {
  const startedMs = Date.now();
  const run = numbered(activity, attempt.attempt);
  run.progress(STAGE, { note: 'loading the target model' });
  const inputs = await trainingInputs(deps, run.signal, attempt);
  const owner = run.writerOf(attempt.attempt);
  const request = trainingRequest(inputs, attempt, owner);
  // Fences the attempts before this one, or finds what one of them published before it could say so.
  const taken = await takeAgain(deps.store, run, request);
  if (taken.status === 'published')
    return {
      status: 'trained',
      result: fineTuneResult(resultOf(taken.ref, taken.manifest, false), taken.manifest),
    };
  const { fingerprint } = taken;
  if (fingerprint !== attempt.fingerprint)
    throw new SecpiError(
      'MODEL_NOT_FOUND',
      `${attempt.finetune.model.uri} holds other files here than on the host that opened this training.`,
      {
        field: 'finetune.model.uri',
        remedy: 'Give all GPU workers the same model, or name it by s3:// or hf:.',
      },
    );
  const control = await pollControl(run);
  const slot = await deps.gpu.slots.acquire({
    signal: run.signal,
    ...(await adoptedDevice(deps, fingerprint)),
    onWait: () => run.progress(STAGE, { note: 'waits for a GPU of this host' }),
  });
  try {
    // Last: the host's watcher ends a trainer whose training has a higher epoch than the one written beside it.
    const { epoch, checkpoints } = await claimTraining(deps, run, fingerprint, owner);
    const end = await runTraining(
      {
        fingerprint,
        epoch,
        checkpoints,
        settings: attempt.finetune,
        traces: inputs.traces,
        model: inputs.model,
        microBatchRows: attempt.microBatchRows,
        rollbacks: attempt.rollbacks,
      },
      {
        ...(await hostOf(deps, run)),
        guardRows: async () => inputs.guard?.file ?? null,
        gpu: slot.device,
        control: () => control.latest(),
        onFigures: (training, note) => {
          const { step, totalSteps } = training;
          run.progress(
            STAGE,
            {
              ...(step === undefined ? {} : { done: step }),
              ...(totalSteps === undefined ? {} : { total: totalSteps }),
              note,
              training,
            },
            { isAwaited: training.lastCheckpoint !== undefined && control.takeRequest() },
          );
        },
        onResume: async (figures) => {
          const { resumedFromStep, firstStepMs } = figures;
          if (firstStepMs === null)
            run.progress(
              STAGE,
              {
                done: resumedFromStep,
                note: describeResume(figures),
                training: { step: resumedFromStep, resumedFrom: resumedFromStep },
              },
              { isAwaited: true },
            );
          await recordAttempt(deps.store, fingerprint, epoch, owner, figures);
        },
      },
    );
    if (end.status === 'paused') return end;
    try {
      return await publish(deps, run, { attempt, inputs, outcome: end.outcome, request, startedMs });
    } finally {
      await end.outcome.release();
    }
  } finally {
    control.stop();
    slot.release();
  }
}

/** What it tells carries the number of its attempt: the workflow counts from then on, and hears no earlier one. */
function numbered(run: ActivityRun, attempt: number): ActivityRun {
  return {
    ...run,
    progress: (stage, patch, options) =>
      run.progress(stage, { ...patch, training: { ...patch.training, attempt } }, options),
  };
}

/** The device of the trainer that outlived the attempt before, when there is one: its own attempt takes that again. */
async function adoptedDevice(
  { paths }: GpuDeps,
  fingerprint: string,
): Promise<{ readonly adopting?: number | null }> {
  const trainer = await liveTrainer(trainingsDir(paths), fingerprint);
  return trainer === null ? {} : { adopting: trainer.gpu };
}

async function claimTraining(
  { store }: GpuDeps,
  run: ActivityRun,
  id: string,
  owner: Owner,
): Promise<Extract<TrainingClaim, { status: 'owned' }>> {
  const training = await store.trainings.claim(
    id,
    owner,
    async (holder) => await isRunOpen(run.client, holder, owner),
  );
  if (training.status === 'owned') return training;
  throw new SecpiError('HEAD_FENCED', `${training.owner.workflowId} trains this model now.`);
}

async function hostOf(
  deps: GpuDeps,
  run: ActivityRun,
): Promise<Omit<TrainingHost, 'guardRows' | 'gpu' | 'control' | 'onFigures' | 'onResume'>> {
  const dir = trainingsDir(deps.paths);
  await mkdir(dir, { recursive: true });
  return {
    store: deps.store,
    pythonPath: deps.paths.pythonPath,
    pythonEnv: pythonEnv(deps.paths.trainerSourceDir, deps.environment),
    trainingsDir: dir,
    signal: run.signal,
    whyAborted: () => run.whyAborted(),
    graceMs: () => deps.gpu.graceMs(),
    onNote: (note) => run.progress(STAGE, { note }),
  };
}

/** A model that was stopped early is another artefact than the whole training, which may still be finished. */
async function publish(
  deps: GpuDeps,
  run: ActivityRun,
  {
    attempt,
    inputs,
    outcome,
    request,
    startedMs,
  }: {
    readonly attempt: TrainingAttempt;
    readonly inputs: TrainingInputs;
    readonly outcome: TrainingOutcome;
    readonly request: TakeRequest;
    readonly startedMs: number;
  },
): Promise<AttemptEnd> {
  run.progress(STAGE, { note: 'uploading the model' });
  const { stoppedEarlyAtStep } = outcome;
  const fields = stoppedEarlyAtStep === null ? inputs.fields : { ...inputs.fields, stoppedEarlyAtStep };
  const { signal } = run;
  const content = await modelContent(deps, { attempt, inputs, outcome, fields, startedMs, signal });
  signal.throwIfAborted();
  const taken = await takeAgain(deps.store, run, { ...request, fields });
  if (taken.status === 'published')
    return {
      status: 'trained',
      result: fineTuneResult(resultOf(taken.ref, taken.manifest, false), taken.manifest),
    };
  const { result, manifest } = await publishArtifact(deps.store, { ...taken, owner: request.owner }, content);
  return { status: 'trained', result: fineTuneResult(result, manifest) };
}

function describeResume({ resumedFromStep: step, adopted, damaged }: AttemptFigures): string {
  if (adopted) return `took over the trainer that runs here, at step ${step}`;
  const passedOver = damaged
    .map((each) => `checkpoint ${each.step} is not whole (${each.problem}); `)
    .join('');
  return `${passedOver}${step === 0 ? 'begins' : `resumes from step ${step}`}`;
}

interface ControlPoll {
  latest(): Control;
  /** True once for each request of a checkpoint that came down. */
  takeRequest(): boolean;
  stop(): void;
}

/** Commands come down by the workflow's `control` query: no history, and nothing is lost when it does not answer. */
async function pollControl(run: ActivityRun): Promise<ControlPoll> {
  let latest: Control = { checkpointRequests: 0, wanted: 'train' };
  let answered: number | null = null;
  const { log } = Context.current();
  const { workflowId, runId } = run.owner;
  let asking = false;
  const ask = async (): Promise<void> => {
    // A slow answer must not overtake a later one.
    if (asking) return;
    asking = true;
    try {
      latest = await run.client.workflow.getHandle(workflowId, runId).query<Control>(controlQueryName);
      answered ??= latest.checkpointRequests;
    } catch (error) {
      log.debug('the control query was not answered; asked again', { error: String(error) });
    } finally {
      asking = false;
    }
  };
  // What is wanted decides how the attempt begins; a server that does not answer holds it up for a moment only.
  await Promise.race([ask(), delay(FIRST_CONTROL_WITHIN_MS, undefined, { ref: false })]);
  const timer = setInterval(() => void ask(), POLL_CONTROL_MS);
  const stop = (): void => clearInterval(timer);
  run.signal.addEventListener('abort', stop, { once: true });
  return {
    latest: () => latest,
    takeRequest: () => {
      if (answered === null || latest.checkpointRequests <= answered) return false;
      answered = latest.checkpointRequests;
      return true;
    },
    stop,
  };
}
