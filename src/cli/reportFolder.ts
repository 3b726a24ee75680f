/** A report as files on this machine. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Summary } from '../contract/summary.ts';
import { renderHtml, renderMarkdown, type ReportedSample } from '../services/report/index.ts';

/** Writes report.html, report.md and summary.json; each appears whole or not at all. */
export async function writeReportFolder(
  folder: string,
  summary: Summary,
  samples: readonly ReportedSample[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = {
    'report.html': await renderHtml(summary, samples),
    'report.md': renderMarkdown(summary),
    'summary.json': `${JSON.stringify(summary, null, 2)}\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const draft = join(folder, `.${name}.${process.pid}`);
    await writeFile(draft, text);
    await rename(draft, join(folder, name));
  }
}
