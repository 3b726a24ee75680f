/** The three files of a report, in the store under the run that made them. */
import type { BlobRef } from '../contract/refs.ts';
import { summarySchema, type Summary } from '../contract/summary.ts';
import type { ReportFiles } from '../contract/workflows.ts';
import { renderMarkdown } from '../services/report/index.ts';
import { runKey, sha256Hex, type Store } from '../services/store/index.ts';
import type { ActivityRun } from './runActivity.ts';

export async function publishReport(
  store: Store,
  run: ActivityRun,
  summary: Summary,
  html: string,
): Promise<ReportFiles> {
  return await publishFiles(store, run, {
    summary: summarySchema.parse(summary),
    html,
    markdown: renderMarkdown(summary),
  });
}

export interface ReportTexts {
  /** Becomes `summary.json`. */
  readonly summary: unknown;
  readonly html: string;
  readonly markdown: string;
}

export async function publishFiles(
  store: Store,
  run: ActivityRun,
  { summary, html, markdown }: ReportTexts,
): Promise<ReportFiles> {
  return {
    summary: await publish(store, run, 'summary.json', `${JSON.stringify(summary, null, 2)}\n`),
    report: await publish(store, run, 'report.html', html),
    markdown: await publish(store, run, 'report.md', markdown),
  };
}

/** A blob by content, and the same bytes under the run's own key, where people look. */
async function publish(
  store: Store,
  run: ActivityRun,
  file: string,
  text: string,
): Promise<Pick<BlobRef, 'uri' | 'sha256'>> {
  const bytes = Buffer.from(text);
  await store.blobs.putBytes(bytes);
  const key = runKey(run.owner.workflowId, run.owner.runId, file);
  const written = await store.objects.putIfAbsent(key, bytes);
  // An earlier attempt, whose answer was lost, wrote it with another time of day: its bytes hold.
  const holding = written === 'conflict' ? ((await store.objects.get(key))?.bytes ?? bytes) : bytes;
  return { uri: store.objects.uriOf(key), sha256: sha256Hex(holding) };
}
