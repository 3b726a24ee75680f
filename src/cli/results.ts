/** A finished run's report and summary: fetched to disk, and the table for the terminal. */
import { join } from 'node:path';
import { z } from 'zod';
import { SecpiError } from '../contract/errors.ts';
import { secpiResultSchema } from '../contract/workflows.ts';
import { sha256Hex, type Store } from '../services/store/index.ts';
import { formatSeconds, formatUsd } from './progressLines.ts';
import { writeWhole } from './stack/files.ts';

const scoreSchema = z.object({ value: z.number(), low: z.number(), high: z.number(), n: z.number() });
const modelSchema = z.object({ func: scoreSchema, secure: scoreSchema, funcSec: scoreSchema });

/** The part of summary.json that the table needs; the file holds more. */
const summarySchema = z.object({
  models: z.object({ base: modelSchema, tuned: modelSchema }),
  costUsd: z.number(),
  stages: z.array(z.object({ name: z.string(), seconds: z.number(), reused: z.boolean() })),
});
export type RunSummary = z.infer<typeof summarySchema>;

export interface Results {
  readonly summary: RunSummary;
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

async function fetchText({ objects }: Store, { uri, sha256 }: { readonly uri: string; readonly sha256: string }): Promise<string> {
  const key = objects.keyOf(uri);
  const found = key === null ? null : await objects.get(key);
  if (found === null) throw new SecpiError('BLOB_MISSING', `${uri} is not in the store.`);
  if (sha256Hex(found.bytes) !== sha256) throw new SecpiError('BLOB_CORRUPT', `${uri} does not match its hash.`);
  return found.bytes.toString('utf8');
}

const COLUMNS = [
  ['functional', 'func'],
  ['secure', 'secure'],
  ['func and secure', 'funcSec'],
] as const;

/** Each share with its interval, as the summary gives it. */
export function resultTable(summary: RunSummary): string[] {
  const cell = ({ value, low, high }: z.infer<typeof scoreSchema>): string => `${percent(value)} [${percent(low)}–${percent(high)}]`;
  const row = (name: string, cells: readonly string[]): string => `  ${name.padEnd(7)}${cells.map((text) => text.padStart(24)).join('')}`;
  const model = (name: 'base' | 'tuned'): string => {
    const scores = summary.models[name];
    return row(name, [...COLUMNS.map(([, key]) => cell(scores[key])), String(scores.funcSec.n)]);
  };
  return [row('model', [...COLUMNS.map(([title]) => title), 'n']), model('base'), model('tuned')];
}

export function stageTimes({ stages, costUsd }: RunSummary): string[] {
  const reused = stages.filter((stage) => stage.reused).map(({ name }) => name);
  return [
    `  Stages: ${stages.map(({ name, seconds, reused: again }) => `${name} ${again ? 'reused' : formatSeconds(seconds)}`).join(', ')}`,
    `  Reused: ${reused.length === 0 ? 'nothing' : reused.join(', ')}`,
    `  Cost:   ${formatUsd(costUsd)}`,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
