/** Dataset → an artefact of task rows, addressed by the source's bytes and how they are read. */
import type { DataActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { DeadLetter, TaskRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { StageResult } from '../contract/workflows.ts';
import { DATASET_CODE_VERSION, importRows, type ImportCounts } from '../services/dataset/importDataset.ts';
import { hashSource, openSource } from '../services/dataset/source.ts';
import { hashParts, writeRows } from '../services/store/index.ts';
import { publishArtifact, resultOf, takeArtifact } from './artefactStage.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'filter';
const ROWS_PER_PART = 10_000;
/** Dead letters are for people to read; beyond this many of one dataset only their count is kept. */
const MAX_DEAD_LETTERS = 10_000;

type ImportInput = Parameters<DataActivities['importDataset']>[0];

export async function importDataset(
  { store, paths }: Deps,
  run: ActivityRun,
  { dataset, reuse }: ImportInput,
): Promise<StageResult> {
  const startedMs = Date.now();
  const source = await openSource(dataset, store.objects, paths.baseDir);
  const sourceSha256 = await hashSource(source);
  const { fields, maxTaskCharacters, limitRows, format } = dataset;
  const fingerprintFields = {
    stage: 'dataset',
    codeVersion: DATASET_CODE_VERSION,
    source: sourceSha256,
    format: format ?? source.format,
    fields: {
      task: fields.task ?? null,
      context: fields.context ?? null,
      id: fields.id ?? null,
      language: fields.language ?? null,
    },
    maxTaskCharacters,
    limitRows: limitRows ?? null,
  };
  const taken = await takeArtifact(store, run, {
    kind: 'dataset',
    fields: fingerprintFields,
    reuse,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'reads the same dataset',
  });
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, true);

  const counts: ImportCounts = { in: 0, rows: 0, duplicates: 0, bad: 0 };
  const deadLetters: DeadLetter[] = [];
  async function* tasks(): AsyncGenerator<TaskRow> {
    for await (const { kind, row } of importRows(source, dataset, counts)) {
      run.signal.throwIfAborted();
      if (kind === 'task') yield row;
      else if (deadLetters.length < MAX_DEAD_LETTERS) deadLetters.push(row);
      if (counts.in % 5000 === 0) run.progress(STAGE, { note: `read ${counts.in} rows` });
    }
  }
  const parts = await writeRows(store.blobs, tasks(), { rowsPerPart: ROWS_PER_PART });
  if (counts.rows === 0) {
    const why =
      deadLetters[0] === undefined ? '' : ` The first of ${counts.bad} bad rows: ${deadLetters[0].reason}.`;
    throw new SecpiError('DATASET_EMPTY', `none of ${counts.in} rows holds a task.${why}`, {
      field: 'dataset.uri',
    });
  }
  const { result } = await publishArtifact(
    store,
    { ...taken, owner: run.owner },
    {
      kind: 'dataset',
      contentSha256: await hashParts(store.blobs, parts),
      rows: counts.rows,
      parts: {
        tasks: parts,
        deadLetter: await writeRows(store.blobs, deadLetters, { rowsPerPart: ROWS_PER_PART }),
      },
      files: [],
      counts: { ...counts },
      facts: {
        name: dataset.name ?? dataset.uri,
        license: dataset.license ?? 'unknown',
        sourceSha256,
        sourceBytes: source.bytes,
      },
      fingerprintOf: fingerprintFields,
      inputs: [],
      usage: emptyUsage,
      seconds: (Date.now() - startedMs) / 1000,
    },
  );
  return result;
}
