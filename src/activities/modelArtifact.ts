/** A trained model as an artefact: its files, what is known of it, and the result that its manifest gives. */
import { z } from 'zod';
import type { TrainingAttempt } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { FileRef } from '../contract/refs.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { FineTuneResult, StageResult } from '../contract/workflows.ts';
import { contentHashOfFiles } from '../services/store/index.ts';
import type { TrainingOutcome } from '../services/train/training.ts';
import type { ArtifactContent, FingerprintFields } from './artefactStage.ts';
import type { Deps } from './deps.ts';
import { readAttempts } from './trainingAttempts.ts';
import type { TrainingInputs } from './trainingTask.ts';

export interface ModelParts {
  readonly attempt: TrainingAttempt;
  readonly inputs: TrainingInputs;
  readonly outcome: TrainingOutcome;
  readonly fields: FingerprintFields;
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

/** Uploads the exported folders. The content is the weights; metrics hold wall times and lie beside it. */
export async function modelContent({ store }: Deps, parts: ModelParts): Promise<ArtifactContent> {
  const { attempt, inputs, outcome, fields, startedMs, signal } = parts;
  const { finished, started, stoppedEarlyAtStep } = outcome;
  const upload = async (folder: string, dir: string): Promise<FileRef[]> =>
    (await store.blobs.putFolder(dir, signal)).map((file) => ({ ...file, path: `${folder}/${file.path}` }));
  const weights = [
    ...(finished.adapterDir === null ? [] : await upload('adapter', finished.adapterDir)),
    ...(await upload('merged', finished.mergedDir)),
  ];
  const attempts = await readAttempts(store, attempt.fingerprint);
  return {
    kind: 'model',
    contentSha256: contentHashOfFiles(weights),
    rows: finished.exportedStep,
    parts: {},
    files: [...weights, ...(await upload('metrics', finished.metricsDir))],
    counts: {
      trainRows: outcome.files.trainRows,
      evalRows: outcome.files.evalRows,
      guardRows: started.guardRows,
      droppedRows: started.droppedRows,
      truncatedRows: started.truncatedRows,
      steps: finished.exportedStep,
    },
    facts: {
      base: attempt.finetune.model.uri,
      baseRevision: attempt.finetune.model.revision ?? null,
      baseContentSha256: inputs.model.contentSha256,
      license: inputs.model.license,
      evalLossBefore: finished.evalLossBefore,
      evalLossAfter: finished.evalLossAfter,
      guardLossBefore: finished.guardLossBefore,
      guardLossAfter: finished.guardLossAfter,
      logitsMaxAbsDiff: finished.logitsMaxAbsDiff,
      lossCurve: finished.lossCurve.map(({ step, loss }) => ({ step, loss })),
      evalCurve: finished.evalCurve.map(({ step, evalLoss, guardLoss }) => ({ step, evalLoss, guardLoss })),
      resumedFromSteps: attempts.map(({ resumedFromStep }) => resumedFromStep).filter((step) => step > 0),
      attempts: attempts.map((each) => ({ ...each })),
      stoppedEarlyAtStep,
      microBatchRows: attempt.microBatchRows,
      rollbacks: attempt.rollbacks,
      trainTokens: started.trainTokens,
      trainableParameters: started.trainableParameters,
      device: started.gpu ?? started.device,
      attention: started.attention,
      precision: started.precision,
      versions: started.versions,
    },
    fingerprintOf: { ...fields },
    inputs: [{ name: 'traces', uri: attempt.traces, contentSha256: inputs.traces.contentSha256 }],
    usage: emptyUsage,
    seconds: (Date.now() - startedMs) / 1000,
  };
}

const optionalNumber = z.number().nullable().default(null);
/** Artefacts of earlier versions lack what was not measured then. */
const factsSchema = z.looseObject({
  evalLossBefore: optionalNumber,
  evalLossAfter: optionalNumber,
  guardLossBefore: optionalNumber,
  guardLossAfter: optionalNumber,
  resumedFromSteps: z.array(z.int()).default([]),
  stoppedEarlyAtStep: optionalNumber,
  microBatchRows: z.int().default(0),
  rollbacks: z.int().default(0),
});

/** Hours, preemptions and the registry's entry are the workflow's to add. */
export function fineTuneResult(base: StageResult, manifest: Manifest): FineTuneResult {
  const facts = factsSchema.parse(manifest.facts);
  return {
    ...base,
    steps: manifest.rows,
    evalLossBefore: facts.evalLossBefore,
    evalLossAfter: facts.evalLossAfter,
    guardLossBefore: facts.guardLossBefore,
    guardLossAfter: facts.guardLossAfter,
    preemptions: 0,
    resumedFromSteps: facts.resumedFromSteps,
    stepsRepeated: 0,
    gpuHours: 0,
    stoppedEarlyAtStep: facts.stoppedEarlyAtStep,
    microBatchRows: facts.microBatchRows,
    rollbacks: facts.rollbacks,
    registered: null,
  };
}
