/** What a training is: the content that decides its weights, and the artefact it makes. */
import { canonicalJson } from '../services/store/index.ts';
import type { FinetuneSettings } from '../contract/recipe.ts';
import type { Busy, OpenedTraining, Opening, TrainingTask } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Owner } from '../contract/refs.ts';
import { localGuardRows, type LocalGuardRows } from '../services/train/guardRows.ts';
import { localiseModel, type LocalModel } from '../services/train/models.ts';
import { TRAIN_CODE_VERSION } from '../services/train/training.ts';
import { resultOf, tryToTake, type FingerprintFields, type TakeRequest } from './artefactStage.ts';
import { modelOptions, type Deps } from './deps.ts';
import { fineTuneResult } from './modelArtifact.ts';
import type { ActivityRun } from './runActivity.ts';
import { readTraining } from './trainingAttempts.ts';

export const STAGE = 'fine-tune';

/** What a training reads, on this host. */
export interface TrainingInputs {
  readonly traces: Manifest;
  readonly model: LocalModel;
  readonly guard: LocalGuardRows | null;
  readonly fields: FingerprintFields;
}

export async function trainingInputs(
  deps: Deps,
  signal: AbortSignal,
  { traces: uri, finetune }: TrainingTask,
): Promise<TrainingInputs> {
  const [traces, model, guard] = await Promise.all([
    deps.store.artifacts.readByUri(uri),
    localiseModel(finetune.model, 'finetune.model.uri', { ...modelOptions(deps), signal }),
    localGuardRows(finetune.guard, modelOptions(deps)),
  ]);
  const fields = {
    stage: STAGE,
    codeVersion: TRAIN_CODE_VERSION,
    settings: decisiveSettings(finetune),
    traces: traces.contentSha256,
    model: model.contentSha256,
    guard: guard?.sha256 ?? null,
  };
  return { traces, model, guard, fields };
}

/** Only what decides the weights and what is measured of them: not how often they are saved, where, or how patiently. */
function decisiveSettings(finetune: FinetuneSettings): FingerprintFields {
  const {
    model: _model, // by content, not by place
    guard: _guard,
    checkpointEverySteps: _interval,
    keepCheckpoints: _kept,
    onOutOfMemory: _policy,
    gpu: _gpu,
    limits: _limits,
    register: _register,
    ...settings
  } = finetune;
  return JSON.parse(canonicalJson(settings)) as FingerprintFields;
}

export function trainingRequest(
  { fields }: TrainingInputs,
  { reuse, firstRun }: Opening,
  owner: Owner,
): TakeRequest {
  return {
    kind: 'model',
    fields,
    reuse,
    onlyRun: firstRun,
    owner,
    stage: STAGE,
    sameWork: 'trains the same model',
  };
}

export async function openTraining(
  deps: Deps,
  run: ActivityRun,
  input: Opening & TrainingTask,
): Promise<OpenedTraining | Busy> {
  run.progress(STAGE, { note: 'loading the target model' });
  const inputs = await trainingInputs(deps, run.signal, input);
  const taken = await tryToTake(deps.store, run, trainingRequest(inputs, input, run.owner));
  switch (taken.status) {
    case 'busy':
      return { status: 'busy', heldBy: taken.owner.workflowId };
    case 'published':
      return {
        status: 'published',
        result: fineTuneResult(resultOf(taken.ref, taken.manifest, true), taken.manifest),
      };
    case 'owned': {
      const { fingerprint } = taken;
      return { status: 'owned', fingerprint, record: await readTraining(deps.store, { fingerprint }) };
    }
  }
}
