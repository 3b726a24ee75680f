/** The pairs once more, as a Hugging Face style dataset with its card: files of the traces artefact. */
import { join } from 'node:path';
import type { Counts, Manifest } from '../contract/manifest.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import type { FileRef, Part } from '../contract/refs.ts';
import { traceRowSchema } from '../contract/rows.ts';
import { openScratch } from '../services/dataset/scratch.ts';
import { exportDataset } from '../services/distill/exportDataset.ts';
import { promptVersionOf } from '../services/distill/prompt.ts';
import { readRows } from '../services/store/index.ts';
import type { Deps } from './deps.ts';

export interface ExportInput {
  readonly pairs: readonly Part[];
  readonly rows: number;
  readonly fingerprint: string;
  readonly contentSha256: string;
  readonly distill: DistillSettings;
  readonly filtered: Manifest;
  readonly counts: Counts;
}

export async function exportTraces(
  { store, paths }: Deps,
  { pairs, rows, fingerprint, contentSha256, distill, filtered, counts }: ExportInput,
): Promise<FileRef[]> {
  const scratch = await openScratch(join(paths.stateDir, 'exports'));
  const folder = scratch.dir;
  const { dataset, license, model, revision } = filtered.facts;
  const { judge } = distill.oracles;
  try {
    await exportDataset({
      rows: readRows(store.blobs, pairs, {}, traceRowSchema),
      rowCount: rows,
      folder,
      about: {
        name: `${textOr(dataset, 'tasks')} traces`,
        fingerprint,
        contentSha256,
        createdAt: new Date().toISOString(),
        teacher: { model: distill.teacher.model, revision: distill.teacher.revision },
        classifier:
          model === 'none'
            ? null
            : { model: textOr(model, 'unknown'), revision: textOr(revision, 'unknown') },
        judge: judge === undefined ? null : { model: judge.model.model, revision: judge.model.revision },
        promptVersion: promptVersionOf(distill.prompt),
        keepPromptInPair: distill.keepPromptInPair,
        sources: [{ name: textOr(dataset, 'unknown'), license: textOr(license, 'unknown') }],
        tasks: (counts['in'] ?? 0) - (counts['notSelected'] ?? 0),
        rejections: rejectionsOf(counts),
        oracles: oraclesOf(distill),
      },
    });
    return await store.blobs.putFolder(folder);
  } finally {
    await scratch.remove();
  }
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

function oraclesOf({ oracles }: DistillSettings): string[] {
  const { tests, analysers, judge } = oracles;
  return [
    'whole, with reasoning and one closed code block, not repetitive, silent about its instructions',
    'parses (Python, JavaScript, TypeScript)',
    ...(tests === 'off' ? [] : ["passes the row's own tests in a sandbox, where it has some"]),
    'resembles no evaluation text',
    ...(analysers.length === 0 ? [] : [`no finding of ${analysers.join(' or ')}`]),
    ...(judge === undefined ? [] : [`held secure and functional by ${judge.model.model}`]),
  ];
}

function rejectionsOf(counts: Counts): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) =>
      name.startsWith('rejected.') ? [[name.slice('rejected.'.length), count]] : [],
    ),
  );
}
