/** A finished run's report, fetched to disk. */
import { resolve } from 'node:path';
import { SecpiError } from '../contract/errors.ts';
import { summarySchema, type Summary } from '../contract/summary.ts';
import type { ReportFiles } from '../contract/workflows.ts';
import { sha256Hex, type Store } from '../services/store/index.ts';
import { writeWhole } from './stack/files.ts';

export interface Results {
  /** Null where the summary is not that of a run: an experiment's, a night's. */
  readonly summary: Summary | null;
  /** Absolute paths. */
  readonly files: Readonly<Record<'report' | 'markdown' | 'summary', string>>;
  readonly reportUri: string;
}

/** Writes report.html, report.md and summary.json into `folder`, each whole and checked against its hash. */
export async function fetchResults(store: Store, from: ReportFiles, folder: string): Promise<Results> {
  const texts = {
    summary: await fetchText(store, from.summary),
    report: await fetchText(store, from.report),
    markdown: await fetchText(store, from.markdown),
  };
  const files = {
    report: resolve(folder, 'report.html'),
    markdown: resolve(folder, 'report.md'),
    summary: resolve(folder, 'summary.json'),
  };
  await writeWhole(files.summary, texts.summary);
  await writeWhole(files.report, texts.report);
  await writeWhole(files.markdown, texts.markdown);
  const parsed = summarySchema.safeParse(JSON.parse(texts.summary));
  return { summary: parsed.success ? parsed.data : null, files, reportUri: from.report.uri };
}

async function fetchText(
  { objects }: Store,
  { uri, sha256 }: { readonly uri: string; readonly sha256: string },
): Promise<string> {
  const key = objects.keyOf(uri);
  const found = key === null ? null : await objects.get(key);
  if (found === null) throw new SecpiError('BLOB_MISSING', `${uri} is not in the store.`);
  if (sha256Hex(found.bytes) !== sha256)
    throw new SecpiError('BLOB_CORRUPT', `${uri} does not match its hash.`);
  return found.bytes.toString('utf8');
}
