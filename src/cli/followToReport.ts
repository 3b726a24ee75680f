/** Follows a run to its end, fetches its report, and tells both. */
import { renderTable } from '../services/report/table.ts';
import { follow } from './follow.ts';
import type { Interruption } from './interrupt.ts';
import { formatSeconds } from './progressLines.ts';
import { fetchResults, type Results } from './results.ts';
import { reportFilesOf } from './runs/find.ts';
import type { Session } from './session.ts';
import { runUrl, type StartedRun } from './startRun.ts';

export interface FollowedRun {
  readonly result: unknown;
  /** Null of a run that writes no report. */
  readonly results: Results | null;
  readonly seconds: number;
  /** Page of the run in the Temporal UI, where one is known. */
  readonly url: string | null;
}

export interface FollowToReportOptions {
  readonly interruption: Interruption;
  /** Folder of the report. */
  readonly out: string;
  /** Where the progress goes. */
  readonly progress: NodeJS.WriteStream;
}

/** Throws RunFailedError, or InterruptedError when the person stops following. */
export async function followToReport(
  { cluster, store, state }: Session,
  started: Pick<StartedRun, 'handle' | 'workflowId' | 'runId'>,
  { interruption, out, progress }: FollowToReportOptions,
): Promise<FollowedRun> {
  const beganMs = Date.now();
  const { handle } = started;
  const result = await follow({ cluster, handle, out: progress, signal: interruption.signal });
  const files = reportFilesOf(result);
  return {
    result,
    results: files === null ? null : await fetchResults(store, files, out),
    seconds: (Date.now() - beganMs) / 1000,
    url: runUrl(state, started),
  };
}

/** For people. */
export function describeEnd({ result, results, seconds, url }: FollowedRun): string {
  const lines = ['', ...endLines(result, results), `Took     ${formatSeconds(seconds)}`];
  if (results !== null) {
    lines.push(`Report   file://${results.files.report}`);
    lines.push(`         ${results.reportUri}`);
    lines.push(`Summary  file://${results.files.summary}`);
  }
  if (url !== null) lines.push(`Run      ${url}`);
  return lines.join('\n');
}

function endLines(result: unknown, results: Results | null): string[] {
  if (results === null) return [JSON.stringify(result, null, 2), ''];
  return results.summary === null ? [] : [renderTable(results.summary), ''];
}
