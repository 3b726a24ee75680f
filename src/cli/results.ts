/** A finished run's report and summary, fetched to disk. */
import { join } from 'node:path';
import { SecpiError } from '../contract/errors.ts';
import { summarySchema, type Summary } from '../contract/summary.ts';
import { secpiResultSchema } from '../contract/workflows.ts';
import { sha256Hex, type Store } from '../services/store/index.ts';
import { writeWhole } from './stack/files.ts';

export interface Results {
  readonly summary: Summary;
  readonly reportPath: string;
  readonly summaryPath: string;
  readonly reportUri: string;
}

/** Writes report.html and summary.json into `folder`, each whole and checked against its hash. */
export async function fetchResults(store: Store, result: unknown, folder: string): Promise<Results> {
  const { summary, report } = secpiResultSchema.parse(result);
  const summaryPath = join(folder, 'summary.json');
  const reportPath = join(folder, 'report.html');
  const text = await fetchText(store, summary);
  await writeWhole(summaryPath, text);
  await writeWhole(reportPath, await fetchText(store, report));
  return { summary: summarySchema.parse(JSON.parse(text)), reportPath, summaryPath, reportUri: report.uri };
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
