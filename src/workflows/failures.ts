/** How failures look inside workflows: a plain Error would fail the task for ever, an ApplicationFailure fails the run. */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { isErrorCode, SecpiError, type ErrorCode } from '../contract/errors.ts';
import { parseInput } from '../contract/parse.ts';

/** Parses a workflow's input, or fails the run at once with code, field, problem and remedy. */
export function parseOrFail<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  return failWithCode(() => parseInput(schema, input));
}

export function failWithCode<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof SecpiError) throw toFailure(error);
    throw error;
  }
}

export function toFailure(error: SecpiError): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: true,
    details: [{ field: error.field ?? null, problem: error.problem, remedy: error.remedy }],
  });
}

/** `told`: what the host said last, by a heartbeat or with its failure. */
export type Loss =
  | { readonly kind: 'cancelled' }
  /** The host vanished or was taken away: nothing was reported in time, or a hand-over was. */
  | {
      readonly kind: 'preempted';
      readonly why: string;
      /** Said by the worker that was told to leave; otherwise nobody knows why it fell silent. */
      readonly noticed: boolean;
      readonly told: unknown;
    }
  /** No worker took the task in time. */
  | { readonly kind: 'noCapacity' }
  | {
      readonly kind: 'error';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      readonly told: unknown;
    };

/** Tells apart what a retry policy cannot: a preemption, a user's cancel, and a real error. */
export function classifyLoss(error: unknown): Loss {
  if (isCancellation(error)) return { kind: 'cancelled' };
  const cause = rootOf(error);
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === 'SCHEDULE_TO_START') return { kind: 'noCapacity' };
    const why = `no heartbeat (${cause.timeoutType})`;
    return { kind: 'preempted', why, noticed: false, told: cause.lastHeartbeatDetails };
  }
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'PREEMPTED' || cause.type === 'WORKER_DIED') {
      const noticed = cause.type === 'PREEMPTED';
      return { kind: 'preempted', why: cause.message, noticed, told: cause.details?.[0] };
    }
    const code = isErrorCode(cause.type) ? cause.type : 'INTERNAL';
    const retryable = cause.nonRetryable !== true;
    return { kind: 'error', code, message: cause.message, retryable, told: cause.details?.[0] };
  }
  return { kind: 'error', code: 'INTERNAL', message: String(cause), retryable: false, told: null };
}

/** The failure at the bottom, so that the top of the UI and of the CLI says code, field, problem and remedy. */
export function surface(error: unknown): unknown {
  if (isCancellation(error)) return error;
  const cause = rootOf(error);
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.create({
    type: cause.type ?? 'INTERNAL',
    message: cause.message,
    nonRetryable: true,
    details: cause.details ?? [],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

function rootOf(error: unknown): unknown {
  let current = error;
  while (
    (current instanceof ActivityFailure || current instanceof ChildWorkflowFailure) &&
    current.cause !== undefined
  ) {
    current = current.cause;
  }
  return current;
}
