/**
 * The error catalogue: every failure a user or an operator can meet has a code, somebody who can mend it,
 * and a remedy in a sentence. Pure: safe inside the workflow sandbox.
 */

/** Who can mend it: `user` (change the input), `operator` (change the machine or the cluster), `retry` (nobody: it passes). */
export type Mender = 'user' | 'operator' | 'retry';

interface CatalogueEntry {
  readonly mender: Mender;
  /** True when trying the same thing again can succeed. */
  readonly retryable: boolean;
  readonly remedy: string;
}

export const ERROR_CATALOGUE = {
  RECIPE_INVALID: {
    mender: 'user',
    retryable: false,
    remedy: 'Correct the field and check the file with `npx secpi validate RECIPE`.',
  },
  SECRET_IN_INPUT: {
    mender: 'user',
    retryable: false,
    remedy:
      'The value is in the workflow history already: rotate the key, delete the workflow (`temporal workflow delete`), and name an environment variable in `apiKeyEnv` instead.',
  },
  DATASET_NOT_FOUND: {
    mender: 'user',
    retryable: false,
    remedy: 'Give a path the worker can read or an s3:// URI; `npx secpi run` uploads local files for you.',
  },
  DATASET_EMPTY: {
    mender: 'user',
    retryable: false,
    remedy: 'Give a dataset with at least one row that holds a task.',
  },
  DATASET_UNREADABLE: {
    mender: 'user',
    retryable: false,
    remedy:
      'Give UTF-8 JSON Lines (one object a line), one JSON array of objects, or Parquet; gzip and zstd are read too.',
  },
  TOO_MANY_BAD_ROWS: {
    mender: 'user',
    retryable: false,
    remedy: 'Look at the dead-letter part for the reasons, mend the rows, or raise maxBadRowShare.',
  },
  NOTHING_KEPT: {
    mender: 'user',
    retryable: false,
    remedy:
      'Nothing is left for the next stage: look at the reasons in the artefact, and widen the dataset or the filter.',
  },
  API_KEY_MISSING: {
    mender: 'operator',
    retryable: false,
    remedy: 'Set the named environment variable where the worker runs, and restart the worker.',
  },
  ENDPOINT_VARIABLE_MISSING: {
    mender: 'operator',
    retryable: false,
    remedy: 'Set the variable named by baseUrlEnv where the worker runs, or give baseUrl in the recipe.',
  },
  ENDPOINT_UNREACHABLE: {
    mender: 'operator',
    retryable: true,
    remedy: 'Start the endpoint or correct baseUrl; the worker must be able to reach it.',
  },
  ENDPOINT_GONE: {
    mender: 'operator',
    retryable: false,
    remedy:
      'Bring the endpoint back or name another in fallbacks, and start the run again: what was paid is kept.',
  },
  ENDPOINT_REFUSED: {
    mender: 'user',
    retryable: false,
    remedy: 'The endpoint refused the request: check the model name, the key and the sampling limits.',
  },
  ENDPOINT_OVERLOADED: {
    mender: 'retry',
    retryable: true,
    remedy: 'The endpoint limits or fails; it is tried again after the delay it asks for.',
  },
  ANSWER_UNUSABLE: {
    mender: 'retry',
    retryable: false,
    remedy: 'The answer does not hold what was asked for; the row goes to the dead-letter part.',
  },
  BATCH_FAILED: {
    mender: 'user',
    retryable: false,
    remedy: 'The provider refused or lost the batch job: read its message, or set transport to "chat".',
  },
  PRICE_UNKNOWN: {
    mender: 'user',
    retryable: false,
    remedy: 'Give priceUsdPerMillionTokens: a budget cannot be kept without a price.',
  },
  CALIBRATION_FAILED: {
    mender: 'user',
    retryable: false,
    remedy:
      'The classifier does not reach the gate on the labelled set: take another model or prompt, or lower the gate.',
  },
  EVALUATION_SET_MISSING: {
    mender: 'operator',
    retryable: false,
    remedy:
      'Set CWEVAL_HOME or BAXBENCH_HOME to a checkout where the data worker runs, or take the name out of dataset.decontaminate.',
  },
  ANALYSER_UNAVAILABLE: {
    mender: 'operator',
    retryable: false,
    remedy:
      'Install the analyser where the data worker runs (`npx secpi setup`), or take it out of distill.oracles.analysers.',
  },
  STORE_UNAVAILABLE: {
    mender: 'retry',
    retryable: true,
    remedy: 'The object store does not answer; it is tried again. Check AWS_ENDPOINT_URL_S3 when it lasts.',
  },
  STORE_ACCESS_DENIED: {
    mender: 'operator',
    retryable: false,
    remedy: 'Give the worker credentials that may read, write and list the bucket.',
  },
  BUCKET_MISSING: {
    mender: 'operator',
    retryable: false,
    remedy: 'Create the bucket, or name an existing one in SECPI_BUCKET.',
  },
  STORE_UNFIT: {
    mender: 'operator',
    retryable: false,
    remedy: 'Use a store that honours If-Match and If-None-Match (AWS S3, MinIO, versitygw, Ceph, R2).',
  },
  BLOB_MISSING: {
    mender: 'operator',
    retryable: false,
    remedy: 'The object is gone from the store: restore it, or run again with reuse "never".',
  },
  BLOB_CORRUPT: {
    mender: 'operator',
    retryable: false,
    remedy: 'The bytes do not match their hash: restore the object, or run again with reuse "never".',
  },
  ARTIFACT_NOT_FOUND: {
    mender: 'user',
    retryable: false,
    remedy: 'Name a published artefact: its uri is in the result of the stage that made it.',
  },
  HEAD_FENCED: {
    mender: 'retry',
    retryable: false,
    remedy: 'Another writer took over with a higher epoch; this attempt ends and its work is not published.',
  },
  MODEL_NOT_FOUND: {
    mender: 'user',
    retryable: false,
    remedy:
      'Give a folder in Hugging Face format, an s3:// model artefact, registry:NAME@VERSION, or hf:owner/name with a revision.',
  },
  RESOURCES_INSUFFICIENT: {
    mender: 'user',
    retryable: false,
    remedy: 'Ask for less (batch, sequence length, samples) or use a bigger machine.',
  },
  TRAINER_CRASHED: {
    mender: 'retry',
    retryable: true,
    remedy: 'The trainer ended unexpectedly; it is started again from the newest checkpoint.',
  },
  TRAINER_OUT_OF_MEMORY: {
    mender: 'user',
    retryable: false,
    remedy: 'Lower microBatchRows or maxSequenceTokens, or use a machine with more memory.',
  },
  TRAINER_STALLED: {
    mender: 'retry',
    retryable: true,
    remedy: 'The trainer made no progress for too long; it is started again from the newest checkpoint.',
  },
  TRAINING_DIVERGED: {
    mender: 'user',
    retryable: false,
    remedy:
      'Lower learningRate, raise warmupShare, or look for broken traces; a new start goes on from the last good checkpoint.',
  },
  DATASET_INVALID: {
    mender: 'user',
    retryable: false,
    remedy: 'Raise finetune.maxSequenceTokens or look at longRows: no trace was left to train or measure on.',
  },
  CHECKPOINT_INVALID: {
    mender: 'operator',
    retryable: false,
    remedy:
      'The checkpoint is whole but of another version of the trainer or another recipe: start again with reuse "never".',
  },
  EXPORT_INVALID: {
    mender: 'operator',
    retryable: false,
    remedy:
      'The exported model does not say what the trained one says: start again to export from the last checkpoint; report it when it stays.',
  },
  NOTHING_TRAINED: {
    mender: 'user',
    retryable: false,
    remedy: 'Let the training reach its first checkpoint (update `checkpointNow`) before `stopEarly`.',
  },
  CAPACITY_UNAVAILABLE: {
    mender: 'operator',
    retryable: true,
    remedy:
      'Start a worker with `npx secpi worker gpu` (and the class the recipe asks for), or raise finetune.limits.maxCapacityWaitHours; a new start goes on from the newest checkpoint.',
  },
  GPU_UNFIT: {
    mender: 'operator',
    retryable: false,
    remedy: 'Run `npx secpi doctor gpu`: it says what driver, CUDA, disk or memory lack.',
  },
  DISK_FULL: {
    mender: 'operator',
    retryable: true,
    remedy: 'Free space where SECPI_STATE lies; a checkpoint needs room beside the one being uploaded.',
  },
  MODEL_VERSION_NOT_FOUND: {
    mender: 'user',
    retryable: false,
    remedy: 'List the names and versions with `npx secpi models`.',
  },
  PROMOTION_CONFLICT: {
    mender: 'user',
    retryable: false,
    remedy:
      'Somebody promoted another version meanwhile: look at `npx secpi models show NAME`, and decide again.',
  },
  WORKER_DIED: {
    mender: 'retry',
    retryable: true,
    remedy: 'None is needed: its task was handed back, and another attempt goes on.',
  },
  PREEMPTED: {
    mender: 'retry',
    retryable: true,
    remedy: 'The machine was taken away; another worker resumes from the newest checkpoint.',
  },
  SERVER_CRASHED: {
    mender: 'retry',
    retryable: true,
    remedy: 'The model server ended unexpectedly; it is started again and finished batches are kept.',
  },
  BENCHMARK_UNAVAILABLE: {
    mender: 'user',
    retryable: false,
    remedy:
      'Leave the benchmark out of evaluate.benchmarks, or use a version of SecPI Pipeline that drives it.',
  },
  REFERENCES_FAIL: {
    mender: 'operator',
    retryable: false,
    remedy:
      'References of the benchmark fail on this worker, so samples would be failed for no reason of theirs: `npx secpi doctor suite` (or cweval, baxbench) names what is missing. `evaluate.references.onFailure: "flag"` goes on and says so in the report.',
  },
  SAMPLES_INVALID: {
    mender: 'user',
    retryable: false,
    remedy:
      'Give a folder with generated_0/…, generated_1/… whose files are named like core/py/cwe_020_0_raw.py.',
  },
  SUITE_INVALID: {
    mender: 'user',
    retryable: false,
    remedy: 'Mend the suite: every task needs its task, test and unsafe file, and an entry in suite.json.',
  },
  SANDBOX_UNAVAILABLE: {
    mender: 'operator',
    retryable: true,
    remedy: 'Run `npx secpi doctor`: it says what the sandbox lacks (bubblewrap, user namespaces, root).',
  },
  NOTIFY_REFUSED: {
    mender: 'operator',
    retryable: false,
    remedy:
      'Look at the variables named by urlEnv and secretEnv where the control worker runs; the night itself stands.',
  },
  NOTIFY_UNREACHABLE: {
    mender: 'retry',
    retryable: true,
    remedy: 'The receiver of the notification does not answer; it is tried again, and the night stands.',
  },
  INTERNAL: {
    mender: 'retry',
    retryable: true,
    remedy: 'This is a defect of SecPI Pipeline: keep the history and the worker log, and report it.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface SecpiErrorOptions {
  /** Path of the offending field within the input, e.g. `finetune.learningRate`. */
  readonly field?: string;
  /** A remedy that fits the case better than the catalogue's. */
  readonly remedy?: string;
  readonly cause?: unknown;
  /** How long to wait before trying again, from a Retry-After header. */
  readonly retryAfterMs?: number;
}

/** Where the code is explained: its heading in the project's runbook, which goes along with the package. */
export function runbookOf(code: ErrorCode): string {
  return `docs/errors.md#${code.toLowerCase()}`;
}

/** An error of the catalogue. The message reads: code, field, problem, remedy, and where to read on. */
export class SecpiError extends Error {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly field: string | undefined;
  readonly remedy: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, problem: string, options: SecpiErrorOptions = {}) {
    const remedy = options.remedy ?? ERROR_CATALOGUE[code].remedy;
    super(formatError(code, problem, remedy, options.field), { cause: options.cause });
    this.name = 'SecpiError';
    this.code = code;
    this.problem = problem;
    this.field = options.field;
    this.remedy = remedy;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }
}

function formatError(code: ErrorCode, problem: string, remedy: string, field: string | undefined): string {
  return `${code}: ${field === undefined ? '' : `${field}: `}${problem} Remedy: ${remedy} (${runbookOf(code)})`;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
