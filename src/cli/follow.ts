/** Follows a run to its end: polls the progress query, shows it, and turns the end into a result or an error. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isGrpcServiceError,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { progressQueryName, type Progress, type StageProgress } from '../contract/workflows.ts';
import type { Cluster } from './connections.ts';
import { RunFailedError } from './exit.ts';
import { barLines, isWorthALine, stageLine } from './progressLines.ts';

const QUERY_EVERY_MS = 1000;
const QUERY_TIMEOUT_MS = 5000;
/** The server may be away for a restart. */
const AWAY_AT_MOST_MS = 120_000;
const HELD_OPEN_MS = 15_000;

export interface FollowOptions {
  readonly cluster: Cluster;
  readonly handle: WorkflowHandle;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Resolves with the workflow's result. Throws RunFailedError, or the signal's reason. */
export async function follow({ cluster, handle, out, signal }: FollowOptions): Promise<unknown> {
  const display = createDisplay(out);
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal]);
  const query = async (): Promise<Progress | null> => await queryProgress(cluster, handle);
  const showing = showUntil(over, query, display);
  try {
    return await cluster.connection.withAbortSignal(signal, async () => await resultOf(handle, signal));
  } catch (error) {
    // An aborted call fails in its own way; the person wanted to stop.
    signal.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
    await showing;
    // How it stands at the end, be it good or bad.
    const last = signal.aborted ? null : await query();
    if (last !== null) display.show(last);
  }
}

async function showUntil(
  over: AbortSignal,
  query: () => Promise<Progress | null>,
  display: Display,
): Promise<void> {
  // A query may hang for its whole deadline while nobody answers.
  const aborted = once(over, 'abort').then(() => null);
  while (!over.aborted) {
    const progress = await Promise.race([query(), aborted]);
    if (progress !== null && !over.aborted) display.show(progress);
    await sleep(QUERY_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

/** Waits through restarts of the server. */
async function resultOf(handle: WorkflowHandle, signal: AbortSignal): Promise<unknown> {
  let awaySinceMs = Date.now();
  for (;;) {
    const askedAtMs = Date.now();
    try {
      return await handle.result();
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw toRunFailed(error);
      if (!isGrpcServiceError(error) || signal.aborted) throw error;
      // A call that was held open had a server behind it.
      if (Date.now() - askedAtMs > HELD_OPEN_MS) awaySinceMs = Date.now();
      if (Date.now() - awaySinceMs > AWAY_AT_MOST_MS) throw error;
      await sleep(QUERY_EVERY_MS, undefined, { signal });
    }
  }
}

/** Null while no worker answers: the run waits then, and so does its display. */
async function queryProgress({ connection }: Cluster, handle: WorkflowHandle): Promise<Progress | null> {
  try {
    return await connection.withDeadline(
      Date.now() + QUERY_TIMEOUT_MS,
      async () => await handle.query<Progress>(progressQueryName),
    );
  } catch {
    return null;
  }
}

/** The innermost cause is what the person can act on. */
export function toRunFailed(error: WorkflowFailedError): RunFailedError {
  let cause: Error | undefined = error.cause;
  while (
    (cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) &&
    cause.cause !== undefined
  )
    cause = cause.cause;
  if (cause instanceof ApplicationFailure)
    return new RunFailedError(cause.type ?? 'FAILED', cause.message, { cause: error });
  if (cause instanceof CancelledFailure)
    return new RunFailedError('CANCELLED', 'The run was cancelled.', { cause: error });
  if (cause instanceof TerminatedFailure)
    return new RunFailedError('TERMINATED', 'The run was terminated.', { cause: error });
  if (cause instanceof TimeoutFailure)
    return new RunFailedError('TIMEOUT', `The run timed out: ${cause.message}`, { cause: error });
  return new RunFailedError('FAILED', cause?.message ?? error.message, { cause: error });
}

interface Display {
  show(progress: Progress): void;
}

/** In place on a terminal, one line a change elsewhere. */
function createDisplay(out: NodeJS.WriteStream): Display {
  return out.isTTY ? liveDisplay(out) : lineDisplay(out);
}

function liveDisplay(out: NodeJS.WriteStream): Display {
  let drawn = 0;
  return {
    show(progress) {
      const width = out.columns || 80;
      const lines = barLines(progress).map((line) =>
        line.length >= width ? `${line.slice(0, width - 2)}…` : line,
      );
      const back = drawn === 0 ? '' : `\u001B[${drawn}A`;
      // A bar that went leaves nothing behind: what lies below the new lines is cleared.
      out.write(`${back}${lines.map((line) => `\r\u001B[2K${line}\n`).join('')}\u001B[0J`);
      drawn = lines.length;
    },
  };
}

function lineDisplay(out: NodeJS.WriteStream): Display {
  const shown = new Map<string, StageProgress>();
  return {
    show(progress) {
      for (const stage of progress.stages) {
        if (!isWorthALine(shown.get(stage.name), stage)) continue;
        shown.set(stage.name, stage);
        out.write(`${stageLine(stage)}\n`);
      }
    },
  };
}
