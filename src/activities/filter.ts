/** The filter artefact: which tasks could carry a weakness, and which CWEs. */
import type { DataActivities, OpenedStage, ShardResult } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { FilterSettings } from '../contract/recipe.ts';
import {
  classificationSchema,
  taskRowSchema,
  type DeadLetter,
  type FilteredRow,
  type TaskRow,
} from '../contract/rows.ts';
import type { StageResult } from '../contract/workflows.ts';
import { FILTER_PROMPT_VERSION, filterMessages } from '../services/filter/prompt.ts';
import { parseStructured } from '../services/llm/structured.ts';
import { hashParts, readRows } from '../services/store/index.ts';
import {
  collectShards,
  firstDeadLetter,
  publishArtifact,
  resultOf,
  shardResult,
  takeArtifact,
  writeParts,
  type FingerprintFields,
} from './artefactStage.ts';
import type { Deps } from './deps.ts';
import { askRows, deadLetterOf, identityOf, type LedgerPool } from './endpoints.ts';
import type { ActivityRun } from './runActivity.ts';

/** Raised by hand when the same answers keep other rows. */
export const FILTER_CODE_VERSION = 1;
const STAGE = 'filter';
const FIELD = 'filter.classifier';

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];

export async function openFilter(
  { store }: Deps,
  run: ActivityRun,
  { dataset, filter, reuse }: Input<'openFilter'>,
): Promise<OpenedStage> {
  const input = await store.artifacts.readByUri(dataset);
  const taken = await takeArtifact(store, run, {
    kind: 'filter',
    fields: fingerprintFields(filter, input),
    reuse,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'filters the same dataset',
  });
  if (taken.status === 'published')
    return { status: 'published', result: resultOf(taken.ref, taken.manifest, true) };
  return { ...taken, rows: input.rows, shards: Math.ceil(input.rows / filter.shardRows) };
}

/** Endpoint addresses, concurrency and patience do not change what is kept. shardRows names the shards. */
function fingerprintFields({ classifier, shardRows }: FilterSettings, dataset: Manifest): FingerprintFields {
  return {
    stage: STAGE,
    codeVersion: FILTER_CODE_VERSION,
    ...identityOf(classifier, FILTER_PROMPT_VERSION),
    sampling: classifier.sampling,
    shardRows,
    dataset: dataset.contentSha256,
  };
}

export async function classifyShard(
  deps: Deps,
  ledgers: LedgerPool,
  run: ActivityRun,
  task: Input<'classifyShard'>,
): Promise<ShardResult> {
  const { store } = deps;
  const { filter, fingerprint, index, shardRows } = task;
  const earlier = await store.artifacts.getShard('filter', fingerprint, index);
  if (earlier !== null) return shardResult(earlier, true);
  const startedMs = Date.now();
  const dataset = await store.artifacts.readByUri(task.input);
  const rows = await Array.fromAsync(
    readRows(
      store.blobs,
      dataset.parts['tasks'] ?? [],
      { from: index * shardRows, to: (index + 1) * shardRows },
      taskRowSchema,
    ),
  );
  const { results, usage } = await askRows(deps, ledgers, run, {
    endpoint: filter.classifier,
    field: FIELD,
    promptVersion: FILTER_PROMPT_VERSION,
    fingerprint,
    rows,
    messages: (row) => filterMessages(row.task),
    responseSchema: { name: 'classification', schema: classificationSchema },
    interpret: (answer) => parseStructured(answer, classificationSchema),
  });
  const kept: FilteredRow[] = [];
  const dropped: FilteredRow[] = [];
  const deadLetter: DeadLetter[] = [];
  for (const [position, result] of results.entries()) {
    const row = rows[position] as TaskRow;
    if (result.kind === 'dead') {
      deadLetter.push(deadLetterOf(row, result.error));
      continue;
    }
    const { relevant, cwes, reason } = result.value;
    (relevant ? kept : dropped).push({ ...row, cwes: [...new Set(cwes)], reason });
  }
  const record = await store.artifacts.putShard('filter', fingerprint, {
    index,
    parts: await writeParts(store, { kept, dropped, deadLetter }),
    counts: { rows: rows.length, kept: kept.length, dropped: dropped.length, bad: deadLetter.length },
    usage,
    seconds: (Date.now() - startedMs) / 1000,
  });
  return shardResult(record, false);
}

export async function publishFilter(
  { store }: Deps,
  run: ActivityRun,
  input: Input<'publishFilter'>,
): Promise<StageResult> {
  const { fingerprint, epoch, filter } = input;
  const dataset = await store.artifacts.readByUri(input.dataset);
  const shards = await collectShards(store, 'filter', fingerprint, input.shards);
  const parts = (name: string) => shards.records.flatMap((record) => record.parts[name] ?? []);
  const total = dataset.counts['in'] ?? 0;
  const bad = (dataset.counts['bad'] ?? 0) + (shards.counts['bad'] ?? 0);
  if (bad > filter.maxBadRowShare * total) {
    const sample = await firstDeadLetter(store, [
      ...parts('deadLetter'),
      ...(dataset.parts['deadLetter'] ?? []),
    ]);
    throw new SecpiError(
      'TOO_MANY_BAD_ROWS',
      `${bad} of ${total} rows could not be processed, more than maxBadRowShare ${filter.maxBadRowShare}. ${sample}`,
      {
        field: 'filter.maxBadRowShare',
      },
    );
  }
  const kept = parts('kept');
  const { result } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: 'filter',
      contentSha256: await hashParts(store.blobs, kept),
      rows: shards.counts['kept'] ?? 0,
      parts: {
        kept,
        dropped: parts('dropped'),
        deadLetter: [...(dataset.parts['deadLetter'] ?? []), ...parts('deadLetter')],
      },
      files: [],
      counts: {
        in: total,
        kept: shards.counts['kept'] ?? 0,
        dropped: shards.counts['dropped'] ?? 0,
        duplicates: dataset.counts['duplicates'] ?? 0,
        bad,
      },
      facts: {
        dataset: dataset.facts['name'] ?? '',
        license: dataset.facts['license'] ?? 'unknown',
        model: filter.classifier.model,
      },
      fingerprintOf: fingerprintFields(filter, dataset),
      inputs: [{ name: 'dataset', uri: input.dataset, contentSha256: dataset.contentSha256 }],
      usage: shards.usage,
      seconds: dataset.seconds + shards.seconds,
    },
  );
  return result;
}
