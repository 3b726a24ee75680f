/** A recipe's settings → the trainer's config, and the hash that tells whether a running trainer is the one wanted. */
import { canonicalJson, sha256Hex } from '../store/index.ts';
import type { TrainingRequest } from './training.ts';

/** A trainer that nobody attended for so long ends by itself. */
export const LEASE_SECONDS = 1800;

export interface TrainerFiles {
  readonly trainFile: string;
  readonly evalFile: string | null;
  readonly guardFile: string | null;
  readonly outputDir: string;
  readonly resumeFrom: string | null;
  readonly leaseFile: string;
}

/** What the trainer does, without where its files lie. */
function trainerWork(
  { settings, microBatchRows, rollbacks }: TrainingRequest,
  exportOnly: boolean,
): Record<string, unknown> {
  const { divergence } = settings;
  return {
    exportOnly,
    seed: settings.seed,
    method: settings.method,
    lora: settings.lora,
    quantization: settings.quantization,
    attention: settings.attention,
    packing: settings.packing,
    epochs: settings.epochs,
    maxSteps: settings.maxSteps,
    batchRows: settings.batchRows,
    microBatchRows,
    learningRate: settings.learningRate,
    scheduler: settings.scheduler,
    warmupShare: settings.warmupShare,
    weightDecay: settings.weightDecay,
    maxSequenceTokens: settings.maxSequenceTokens,
    longRows: settings.longRows,
    precision: settings.precision,
    gradientCheckpointing: settings.gradientCheckpointing,
    checkpointEverySteps: settings.checkpointEverySteps,
    evalEverySteps: settings.evalEverySteps,
    divergence: { spikeFactor: divergence.spikeFactor, patienceSteps: divergence.patienceSteps },
    learningRateScale: divergence.learningRateFactor ** rollbacks,
    threads: null,
  };
}

export function trainerConfig(
  request: TrainingRequest,
  files: TrainerFiles,
  exportOnly: boolean,
): Record<string, unknown> {
  return {
    modelDir: request.model.dir,
    ...files,
    leaseSeconds: LEASE_SECONDS,
    ...trainerWork(request, exportOnly),
  };
}

/** Equal for trainers that may stand for each other; data and model are the fingerprint's. */
export function configSha256(request: TrainingRequest, exportOnly: boolean): string {
  const { settings, rollbacks } = request;
  return sha256Hex(canonicalJson({ ...trainerWork(request, exportOnly), rollbacks, guard: settings.guard }));
}
