/**
 * Binds a service to Temporal: heartbeats from the first line to the last, cancellation with its true cause, progress
 * signals, and errors of the catalogue as ApplicationFailures. Services know nothing of this.
 */
import { ApplicationFailure, CancelledFailure, Context, type Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { isErrorCode, messageOf, SecpiError, ERROR_CATALOGUE, type ErrorCode } from '../contract/errors.ts';
import type { Owner } from '../contract/refs.ts';
import { redact } from '../contract/secrets.ts';
import { heldTasksDir, type Deps } from './deps.ts';
import { holdTask } from './heldTasks.ts';
import { Lease } from './lease.ts';
import { progressSignalName, type ProgressSignal } from '../contract/workflows.ts';

const HEARTBEAT_EVERY_MS = 2000;
const SIGNAL_FIRST_MS = 5000;
const SIGNAL_AT_MOST_EVERY_MS = 60_000;
/** Of a run's age; so that weeks of a run stay a short history, however often its work changes hosts. */
const SIGNAL_SHARE_OF_RUN = 1 / 200;

export interface ActivityRun {
  /** Aborted by a user's cancel, a worker's shutdown, a timeout or a lost workflow. */
  readonly signal: AbortSignal;
  /** The run as the one writer of an artefact. */
  readonly owner: Owner;
  /** Asked whether the holder of a head still runs. */
  readonly client: Client;
  /** One attempt of the run as a writer that fences the attempts before it; later attempts sort higher. */
  writerOf(attempt: number): Owner;
  /** 1 for the first; later ones take over from one that was lost. */
  readonly attempt: number;
  /** Resolves while this attempt is the one that Temporal counts on; to be awaited before anything is paid. */
  lease(): Promise<void>;
  /** Marks progress: restarts the stall clock. The note is seen in the UI, with the pending activity. */
  beat(note?: string): void;
  /** Marks progress: restarts the stall clock and goes up by a signal, throttled unless somebody waits for it. */
  progress(stage: string, progress: ProgressPatch, options?: { readonly isAwaited?: boolean }): void;
  /** True when a user wants the work to end, not only this attempt. */
  isCancelled(): boolean;
  /** True when the worker is shutting down: save, hand over, leave. */
  isPreempted(): boolean;
  /** Why `signal` was aborted: a user's cancel, notice to leave this host, or the task being another's by now. */
  whyAborted(): 'cancelled' | 'notice' | 'lost';
}

export type ProgressPatch = ProgressSignal['progress'];

/**
 * What one host lacks another may have: a shard goes to the next worker. At the boundary checks the same codes end
 * the run at once.
 */
const HOST_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'API_KEY_MISSING',
  'ENDPOINT_VARIABLE_MISSING',
  'RESOURCES_INSUFFICIENT',
  'ANALYSER_UNAVAILABLE',
  'BENCHMARK_UNAVAILABLE',
  'EVALUATION_SET_MISSING',
]);
const HOST_FAULT_RETRY_MS = 20_000;
/** A hand-over is taken up at once, however often it happened before. */
const HAND_OVER_RETRY_MS = 1000;

export interface ActivityOptions {
  /** A fault of this host is tried again, perhaps elsewhere. */
  readonly hostFaultsPass?: boolean;
  /** No progress for this long fails the attempt; 0 where the work reports none. */
  readonly stallAfterMs?: number;
  /** When the run began: progress of an old run is told more rarely. */
  readonly runStartedAtMs?: number;
}

export async function runActivity<T>(
  { paths }: Deps,
  body: (run: ActivityRun) => Promise<T>,
  { stallAfterMs = 0, hostFaultsPass = false, runStartedAtMs = Date.now() }: ActivityOptions = {},
): Promise<T> {
  const context = Context.current();
  const { info } = context;
  const owner = ownerOf(info);
  const stalled = new AbortController();
  let lastProgressMs = Date.now();
  let lastNote = '';
  let lastStep: number | null = null;
  const heartbeatDetails = () => ({
    lastProgressAt: new Date(lastProgressMs).toISOString(),
    note: lastNote,
    // Of a training: what a lost host had trained is told by its last heartbeat.
    ...(lastStep === null ? {} : { step: lastStep }),
  });
  let lease: Lease | null = null;
  const beat = setInterval(() => {
    const details = heartbeatDetails();
    context.heartbeat(details);
    void lease?.renew(details);
    if (stallAfterMs > 0 && Date.now() - lastProgressMs > stallAfterMs) stalled.abort();
  }, HEARTBEAT_EVERY_MS);
  context.heartbeat(heartbeatDetails());
  const reporter = createReporter(context, runStartedAtMs);
  const signal = AbortSignal.any([context.cancellationSignal, stalled.signal]);
  let letGo = async (): Promise<void> => undefined;
  try {
    letGo = await holdTask(heldTasksDir(paths), {
      taskToken: info.taskToken,
      activity: info.activityType,
      namespace: owner.namespace,
      workflowId: owner.workflowId,
    });
    return await body({
      signal,
      attempt: info.attempt,
      lease: async () => {
        if (lease === null) {
          lease = new Lease(context.client, info.taskToken, signal);
          void lease.renew(heartbeatDetails());
        }
        await lease.held();
      },
      owner,
      client: context.client,
      writerOf: (attempt) => ({
        ...owner,
        writer: `${String(attempt).padStart(6, '0')}.${info.currentAttemptScheduledTimestampMs}`,
      }),
      beat: (note) => {
        lastProgressMs = Date.now();
        lastNote = note ?? lastNote;
      },
      progress: (stage, progress, { isAwaited = false } = {}) => {
        lastProgressMs = Date.now();
        lastNote = progress.note ?? lastNote;
        lastStep = progress.training?.step ?? lastStep;
        reporter.report({ stage, progress }, isAwaited);
      },
      isCancelled: () => context.cancellationDetails?.cancelRequested === true,
      isPreempted: () => context.cancellationDetails?.workerShutdown === true,
      whyAborted: () => {
        const details = context.cancellationDetails;
        if (details?.cancelRequested === true) return 'cancelled';
        return details?.workerShutdown === true || details?.paused === true ? 'notice' : 'lost';
      },
    });
  } catch (error) {
    throw translate(error, context, stalled.signal.aborted, { stallAfterMs, hostFaultsPass, step: lastStep });
  } finally {
    clearInterval(beat);
    reporter.stop();
    await letGo();
  }
}

function ownerOf(info: Info): Owner {
  const execution = info.workflowExecution;
  if (execution === undefined || info.workflowNamespace === undefined) {
    throw new SecpiError('INTERNAL', 'this activity must be started by a workflow.');
  }
  return {
    namespace: info.workflowNamespace,
    workflowId: execution.workflowId,
    runId: execution.runId,
    writer: '',
  };
}

interface Reporter {
  report(signal: ProgressSignal, isAwaited: boolean): void;
  stop(): void;
}

/**
 * Signals grow rarer as the work goes on (a tenth of its age, at most one a minute; in a run of days a two-hundredth of
 * the run's age), so histories stay small.
 * What is reported in between is merged into the next one.
 */
function createReporter(context: Context, runStartedAtMs: number): Reporter {
  const execution = context.info.workflowExecution;
  const startedAtMs = Date.now();
  let nextAtMs = 0;
  let pending: ProgressSignal | null = null;
  let timer: NodeJS.Timeout | null = null;
  const send = (): void => {
    timer = null;
    if (pending === null || execution === undefined) return;
    const signal = pending;
    pending = null;
    const now = Date.now();
    const rarest = Math.max(SIGNAL_AT_MOST_EVERY_MS, (now - runStartedAtMs) * SIGNAL_SHARE_OF_RUN);
    const rarer = Math.max(SIGNAL_FIRST_MS, (now - runStartedAtMs) * SIGNAL_SHARE_OF_RUN);
    nextAtMs = now + Math.min(rarest, Math.max(rarer, (now - startedAtMs) / 10));
    context.client.workflow
      .getHandle(execution.workflowId, execution.runId)
      .signal(progressSignalName, signal)
      .catch((error: unknown) =>
        context.log.warn('a progress signal was not taken', { error: messageOf(error) }),
      );
  };
  return {
    report: ({ stage, progress }, isAwaited) => {
      const training = { ...pending?.progress.training, ...progress.training };
      pending = {
        stage,
        progress: {
          ...pending?.progress,
          ...progress,
          ...(Object.keys(training).length === 0 ? {} : { training }),
        },
      };
      if (isAwaited && timer !== null) {
        clearTimeout(timer);
        timer = null;
      }
      timer ??= setTimeout(send, isAwaited ? 0 : Math.max(0, nextAtMs - Date.now()));
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function translate(
  error: unknown,
  context: Context,
  stalled: boolean,
  {
    stallAfterMs,
    hostFaultsPass,
    step,
  }: Required<Pick<ActivityOptions, 'stallAfterMs' | 'hostFaultsPass'>> & { readonly step: number | null },
): unknown {
  const fail = (told: SecpiError, retryMs: number | null = null): ApplicationFailure =>
    toFailure(told, retryMs, step);
  const details = context.cancellationDetails;
  if (details?.cancelRequested === true) return new CancelledFailure('cancelled by request');
  if (details?.workerShutdown === true)
    return fail(
      // What became of the work, where it says so.
      new SecpiError('PREEMPTED', isPreemption(error) ? error.problem : 'the worker is shutting down.', {
        cause: error,
        retryAfterMs: HAND_OVER_RETRY_MS,
      }),
    );
  if (context.cancellationSignal.aborted) return new CancelledFailure('the attempt is no longer wanted');
  if (stalled)
    return fail(
      new SecpiError('TRAINER_STALLED', `no progress for ${stallAfterMs / 1000} s.`, { cause: error }),
    );
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof SecpiError)
    return fail(error, hostFaultsPass && HOST_FAULTS.has(error.code) ? HOST_FAULT_RETRY_MS : null);
  context.log.error('an unexpected error', { error });
  return fail(new SecpiError('INTERNAL', messageOf(error), { cause: error }));
}

function isPreemption(error: unknown): error is SecpiError {
  return error instanceof SecpiError && error.code === 'PREEMPTED';
}

/** `retryMs`: tried again all the same, after so long. `step`: how far a training was. */
function toFailure(error: SecpiError, retryMs: number | null, step: number | null): ApplicationFailure {
  const delayMs = error.retryAfterMs ?? retryMs;
  return ApplicationFailure.create({
    type: error.code,
    message: redact(error.message),
    nonRetryable: !error.retryable && retryMs === null,
    details: [
      {
        field: error.field ?? null,
        problem: redact(error.problem),
        remedy: error.remedy,
        mender: ERROR_CATALOGUE[error.code].mender,
        ...(step === null ? {} : { step }),
      },
    ],
    ...(delayMs === null ? {} : { nextRetryDelay: delayMs }),
    ...(error.cause instanceof Error && isErrorCode(Reflect.get(error.cause, 'code'))
      ? { cause: error.cause }
      : {}),
  });
}
