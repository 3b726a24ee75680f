/** One attempt at a training: takes the heads, resumes from the newest checkpoint, trains, publishes the model. */
import { Context } from '@temporalio/activity';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { GpuActivities } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import { ownerSchema, type FileRef } from '../contract/refs.ts';
import { controlQueryName, type Control, type FineTuneResult } from '../contract/workflows.ts';
import { emptyUsage } from '../contract/usage.ts';
import {
  canonicalJson,
  contentHashOfFiles,
  trainingAttemptKey,
  trainingAttemptsPrefix,
  type Store,
} from '../services/store/index.ts';
import { localiseModel, type LocalModel } from '../services/train/models.ts';
import { pythonEnv } from '../services/train/pythonEnv.ts';
import { runTraining, TRAIN_CODE_VERSION, type TrainingOutcome } from '../services/train/runTraining.ts';
import {
  isRunOpen,
  publishArtifact,
  resultOf,
  takeArtifact,
  type ArtifactContent,
  type FingerprintFields,
} from './artefactStage.ts';
import { modelOptions, type Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'fine-tune';
const POLL_CONTROL_MS = 3000;

type TrainInput = Parameters<GpuActivities['trainModel']>[0];

export async function trainModel(deps: Deps, run: ActivityRun, input: TrainInput): Promise<FineTuneResult> {
  const { store } = deps;
  const startedMs = Date.now();
  const traces = await store.artifacts.readByUri(input.traces);
  run.progress(STAGE, { note: 'loading the target model' });
  const model = await localiseModel(input.finetune.model, 'finetune.model.uri', modelOptions(deps));
  const fields = fingerprintFields(input, traces, model);
  const owner = run.writerOf(input.attempt);
  const taken = await takeArtifact(store, run, {
    kind: 'model',
    fields,
    reuse: input.reuse,
    owner,
    stage: STAGE,
    sameWork: 'trains the same model',
  });
  if (taken.status === 'published')
    return fineTuneResult(resultOf(taken.ref, taken.manifest, true), taken.manifest);

  const training = await store.trainings.claim(
    taken.fingerprint,
    owner,
    async (holder) => await isRunOpen(run.client, holder, owner),
  );
  if (training.status === 'busy')
    throw new Error(`the training is held by ${training.owner.workflowId}, although its model is ours`);
  const stopPolling = new AbortController();
  const control = pollControl(run, stopPolling.signal);
  try {
    const workDir = join(deps.paths.stateDir, 'training');
    const logDir = join(deps.paths.stateDir, 'logs');
    await mkdir(logDir, { recursive: true });
    const outcome = await runTraining(
      { fingerprint: taken.fingerprint, epoch: training.epoch, settings: input.finetune, traces, model },
      {
        store,
        pythonPath: deps.paths.pythonPath,
        pythonEnv: pythonEnv(deps.paths.trainerSourceDir, deps.environment),
        workDir,
        logFile: join(logDir, `trainer-${taken.fingerprint.slice(0, 12)}-e${training.epoch}.log`),
        signal: run.signal,
        isPreempted: () => run.isPreempted(),
        onStep: (step, total, note) => run.progress(STAGE, { done: step, total, note }),
        onNote: (note) => run.progress(STAGE, { note }),
        onResume: async (step) =>
          await recordAttempt(deps, taken.fingerprint, training.epoch, {
            resumedFromStep: step,
            startedAt: new Date().toISOString(),
            owner,
          }),
        checkpointRequests: () => control.latest().checkpointRequests,
      },
    );
    try {
      run.progress(STAGE, { note: 'uploading the model' });
      const { fingerprint } = taken;
      const content = await describeModel(deps, {
        input,
        fields,
        traces,
        model,
        outcome,
        fingerprint,
        startedMs,
      });
      const { result, manifest } = await publishArtifact(store, { ...taken, owner }, content);
      return fineTuneResult(result, manifest);
    } finally {
      await rm(outcome.dir, { recursive: true, force: true });
    }
  } finally {
    stopPolling.abort();
  }
}

/** Only what changes the weights: not how often they are saved, and the model by content, not by place. */
function fingerprintFields({ finetune }: TrainInput, traces: Manifest, model: LocalModel): FingerprintFields {
  const { model: _, checkpointEverySteps: __, ...settings } = finetune;
  return {
    stage: STAGE,
    codeVersion: TRAIN_CODE_VERSION,
    settings,
    traces: traces.contentSha256,
    model: model.contentSha256,
  };
}

interface ModelParts {
  readonly input: TrainInput;
  readonly fields: FingerprintFields;
  readonly traces: Manifest;
  readonly model: LocalModel;
  readonly outcome: TrainingOutcome;
  readonly fingerprint: string;
  readonly startedMs: number;
}

async function describeModel({ store }: Deps, parts: ModelParts): Promise<ArtifactContent> {
  const { input, fields, traces, model, outcome, fingerprint, startedMs } = parts;
  const { finished, started } = outcome;
  const adapter = await store.blobs.putFolder(finished.adapterDir);
  const merged = await store.blobs.putFolder(finished.mergedDir);
  const under = (folder: string, files: readonly FileRef[]): FileRef[] =>
    files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
  const files = [...under('adapter', adapter), ...under('merged', merged)];
  return {
    kind: 'model',
    contentSha256: contentHashOfFiles(files),
    rows: finished.step,
    parts: {},
    files,
    counts: {
      trainRows: outcome.files.trainRows,
      evalRows: outcome.files.evalRows,
      droppedRows: started.droppedRows,
      truncatedRows: started.truncatedRows,
      steps: finished.step,
    },
    facts: {
      base: input.finetune.model.uri,
      baseContentSha256: model.contentSha256,
      license: model.license,
      evalLossBefore: finished.evalLossBefore,
      evalLossAfter: finished.evalLossAfter,
      logitsMaxAbsDiff: finished.logitsMaxAbsDiff,
      lossCurve: finished.lossCurve.map(({ step, loss }) => ({ step, loss })),
      resumedFromSteps: await resumedSteps(store, fingerprint),
      trainTokens: started.trainTokens,
      device: started.device,
      precision: started.precision,
      versions: started.versions,
    },
    fingerprintOf: { ...fields },
    inputs: [{ name: 'traces', uri: input.traces, contentSha256: traces.contentSha256 }],
    usage: emptyUsage,
    seconds: (Date.now() - startedMs) / 1000,
  };
}

function fineTuneResult(
  base: Omit<
    FineTuneResult,
    'steps' | 'evalLossBefore' | 'evalLossAfter' | 'preemptions' | 'resumedFromSteps'
  >,
  manifest: Manifest,
): FineTuneResult {
  const number = (name: string): number | null => {
    const value = manifest.facts[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    ...base,
    steps: manifest.rows,
    evalLossBefore: number('evalLossBefore'),
    evalLossAfter: number('evalLossAfter'),
    preemptions: 0,
    resumedFromSteps: z.array(z.int()).parse(manifest.facts['resumedFromSteps']),
  };
}

const attemptSchema = z.strictObject({
  resumedFromStep: z.int().nonnegative(),
  startedAt: z.iso.datetime(),
  owner: ownerSchema,
});

/** Heartbeats and signals can be lost with their host; what an attempt resumed from is told from the store. */
async function recordAttempt(
  { store }: Deps,
  id: string,
  epoch: number,
  attempt: z.infer<typeof attemptSchema>,
): Promise<void> {
  await store.objects.putIfAbsent(trainingAttemptKey(id, epoch), Buffer.from(canonicalJson(attempt)));
}

/** Of all attempts in order; those that began at step 0 resumed nothing. */
async function resumedSteps(store: Store, id: string): Promise<number[]> {
  const keys = await Array.fromAsync(store.objects.list(trainingAttemptsPrefix(id)));
  const attempts = await Promise.all(
    keys.map(async ({ key }) =>
      attemptSchema.parse(JSON.parse((await store.objects.get(key))?.bytes.toString() ?? 'null')),
    ),
  );
  return attempts.map(({ resumedFromStep }) => resumedFromStep).filter((step) => step > 0);
}

/** Commands come down by the workflow's `control` query: no history, and nothing is lost when it does not answer. */
function pollControl(run: ActivityRun, stop: AbortSignal): { latest(): Control } {
  let latest: Control = { checkpointRequests: 0 };
  const { log } = Context.current();
  const { workflowId, runId } = run.owner;
  const timer = setInterval(() => {
    run.client.workflow
      .getHandle(workflowId, runId)
      .query<Control>(controlQueryName)
      .then((control) => (latest = control))
      .catch((error: unknown) =>
        log.debug('the control query was not answered; asked again', { error: String(error) }),
      );
  }, POLL_CONTROL_MS);
  const end = (): void => clearInterval(timer);
  stop.addEventListener('abort', end, { once: true });
  run.signal.addEventListener('abort', end, { once: true });
  return { latest: () => latest };
}
