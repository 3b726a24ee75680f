/** Dataset → an artefact of task rows, addressed by the source's bytes and how they are read. */
import { join } from 'node:path';
import type { Busy, DataActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Dataset } from '../contract/recipe.ts';
import type { DeadLetter, ExcludedRow, TaskRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { StageResult } from '../contract/workflows.ts';
import { DATASET_CODE_VERSION, importRows, noCounts } from '../services/dataset/importDataset.ts';
import { openScratch } from '../services/dataset/scratch.ts';
import { hashSource, isSameSource, openSource, type DatasetSource } from '../services/dataset/source.ts';
import { createSpool } from '../services/dataset/spool.ts';
import type { Decontaminator } from '../services/decontaminate/index.ts';
import { detectTaskLanguage } from '../services/language/index.ts';
import { hashParts, writeRows, type Store } from '../services/store/index.ts';
import { publishArtifact, resultOf, tryToTake, type FingerprintFields } from './artefactStage.ts';
import { loadDecontaminator } from './decontamination.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'filter';
const ROWS_PER_PART = 10_000;
/** Dead letters are for people to read; beyond this many of one dataset only their count is kept. */
const MAX_DEAD_LETTERS = 10_000;

type ImportInput = Parameters<DataActivities['importDataset']>[0];

export async function importDataset(
  deps: Deps,
  run: ActivityRun,
  { dataset, reuse }: ImportInput,
): Promise<StageResult | Busy> {
  const { store, paths } = deps;
  const startedMs = Date.now();
  const source = await openSource(dataset, store.objects, paths.baseDir);
  const decontaminator =
    dataset.decontaminate.length === 0 ? null : await loadDecontaminator(deps, dataset.decontaminate);
  const progress = (note: string): void => run.progress(STAGE, { note });
  const sourceSha256 = await hashSource(source, { signal: run.signal, progress });
  const license = dataset.license ?? source.license ?? 'unknown';
  const fields = fingerprintFields(dataset, {
    source: sourceSha256,
    format: source.format,
    license,
    evaluationTexts: decontaminator?.contentSha256 ?? null,
  });
  const taken = await tryToTake(store, run, {
    kind: 'dataset',
    fields,
    reuse,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'reads the same dataset',
  });
  if (taken.status === 'busy') return { status: 'busy', heldBy: taken.owner.workflowId };
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, true);

  const scratchDir = join(paths.stateDir, 'imports');
  const { tasks, excluded, deadLetter, counts } = await writeParts(
    store,
    run,
    source,
    dataset,
    decontaminator,
    scratchDir,
  );
  if (!isSameSource(source, await openSource(dataset, store.objects, paths.baseDir))) {
    throw new SecpiError('DATASET_UNREADABLE', 'the files changed while they were read.', {
      field: 'dataset.uri',
      remedy: 'Start again when nobody writes to them.',
    });
  }
  const { result } = await publishArtifact(
    store,
    { ...taken, owner: run.owner },
    {
      kind: 'dataset',
      contentSha256: await hashParts(store.blobs, tasks),
      rows: counts.rows,
      parts: { tasks, excluded, deadLetter },
      files: [],
      counts: { ...counts },
      facts: {
        name: dataset.name ?? dataset.uri,
        license,
        sourceSha256,
        sourceBytes: source.bytes,
        sourceFiles: source.files.length,
        // Traces are held apart from the same texts.
        decontaminated:
          decontaminator === null
            ? null
            : { names: dataset.decontaminate, sha256: decontaminator.contentSha256 },
      },
      fingerprintOf: fields,
      inputs: [],
      usage: emptyUsage,
      seconds: (Date.now() - startedMs) / 1000,
    },
  );
  return result;
}

/** All that decides which rows come out. */
function fingerprintFields(
  { fields, maxTaskCharacters, limitRows, nearDuplicates }: Dataset,
  source: FingerprintFields,
): FingerprintFields {
  return {
    ...source,
    stage: 'dataset',
    codeVersion: DATASET_CODE_VERSION,
    fields: {
      task: fields.task ?? null,
      context: fields.context ?? null,
      id: fields.id ?? null,
      language: fields.language ?? null,
      tests: fields.tests ?? null,
    },
    nearDuplicates: { ...nearDuplicates },
    maxTaskCharacters,
    limitRows: limitRows ?? null,
  };
}

async function writeParts(
  store: Store,
  run: ActivityRun,
  source: DatasetSource,
  dataset: Dataset,
  decontaminator: Decontaminator | null,
  scratchDir: string,
): Promise<{ tasks: Parts; excluded: Parts; deadLetter: Parts; counts: ReturnType<typeof noCounts> }> {
  const counts = noCounts();
  const deadLetters: DeadLetter[] = [];
  const scratch = await openScratch(scratchDir);
  const excluded = createSpool(join(scratch.dir, 'excluded.jsonl.zst'), (value) => value as ExcludedRow);
  async function* tasks(): AsyncGenerator<TaskRow> {
    const imported = importRows(source, dataset, counts, {
      scratchDir,
      detectLanguage: detectTaskLanguage,
      progress: (note) => run.progress(STAGE, { note }),
      signal: run.signal,
      ...(decontaminator === null ? {} : { contamination: decontaminator.check }),
    });
    for await (const { kind, row } of imported) {
      run.signal.throwIfAborted();
      if (kind === 'task') yield row;
      else if (kind === 'excluded') await excluded.append(row);
      else if (deadLetters.length < MAX_DEAD_LETTERS) deadLetters.push(row);
    }
  }
  try {
    const parts = await writeRows(store.blobs, tasks(), { rowsPerPart: ROWS_PER_PART });
    if (counts.rows === 0) throw noTask(counts, deadLetters[0]);
    await excluded.finish();
    return {
      tasks: parts,
      excluded: await writeRows(store.blobs, excluded.read(), { rowsPerPart: ROWS_PER_PART }),
      deadLetter: await writeRows(store.blobs, deadLetters, { rowsPerPart: ROWS_PER_PART }),
      counts,
    };
  } finally {
    await excluded.close();
    await scratch.remove();
  }
}

type Parts = Awaited<ReturnType<typeof writeRows>>;

function noTask(counts: { in: number; bad: number; contaminated: number }, first?: DeadLetter): SecpiError {
  const why = first === undefined ? '' : ` The first of ${counts.bad} bad rows: ${first.reason}.`;
  const held = counts.contaminated === 0 ? '' : ` ${counts.contaminated} are held by evaluation sets.`;
  return new SecpiError('DATASET_EMPTY', `none of ${counts.in} rows holds a task to keep.${held}${why}`, {
    field: 'dataset.uri',
  });
}
