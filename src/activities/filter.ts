/** The filter artefact: which tasks could carry a weakness, and which CWEs. */
import type { ControlActivities, DataActivities, OpenedStage, ShardResult } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { FilterSettings } from '../contract/recipe.ts';
import { taskRowSchema } from '../contract/rows.ts';
import { addUsage } from '../contract/usage.ts';
import type { StageResult } from '../contract/workflows.ts';
import { FILTER_PROMPT_VERSION } from '../services/filter/prompt.ts';
import { drawReview } from '../services/filter/review.ts';
import { hashParts, readRows } from '../services/store/index.ts';
import {
  collectShards,
  publishArtifact,
  resultOf,
  shardResult,
  takeAgain,
  takeArtifact,
  refuseTooManyBad,
  writeParts,
  type FingerprintFields,
  type TakeRequest,
} from './artefactStage.ts';
import { agreementFacts, measure } from './calibrate.ts';
import { classify, keepAll, sort } from './classify.ts';
import type { Deps } from './deps.ts';
import { identityOf, type AskPools } from './askPools.ts';
import { knowledgeOf, tidyLedger } from './askRows.ts';
import type { ActivityRun } from './runActivity.ts';

/** Raised by hand when the same answers keep other rows. */
export const FILTER_CODE_VERSION = 2;
const STAGE = 'filter';

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];
type ControlInput<Name extends keyof ControlActivities> = Parameters<ControlActivities[Name]>[0];

export async function openFilter(
  deps: Deps,
  run: ActivityRun,
  opening: ControlInput<'openFilter'>,
): Promise<OpenedStage> {
  const { store } = deps;
  const { dataset, filter } = opening;
  const input = await store.artifacts.readByUri(dataset);
  const taken = await takeArtifact(store, run, takeRequest(run, opening, input));
  if (taken.status === 'published')
    return { status: 'published', result: resultOf(taken.ref, taken.manifest, true) };
  const note =
    filter.mode === 'keepAll' ? '' : await knowledgeOf(store, filter.classifier, FILTER_PROMPT_VERSION);
  return { ...taken, note, rows: input.rows, shards: Math.ceil(input.rows / filter.shardRows) };
}

function takeRequest(
  run: ActivityRun,
  { filter, labelsSha256, reuse, firstRun }: Omit<ControlInput<'openFilter'>, 'dataset'>,
  dataset: Manifest,
): TakeRequest {
  return {
    kind: 'filter',
    fields: fingerprintFields(filter, labelsSha256, dataset),
    reuse,
    onlyRun: firstRun,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'filters the same dataset',
  };
}

/** Endpoint addresses, concurrency and patience do not change what is kept. shardRows names the shards. */
function fingerprintFields(
  { mode, classifier, shardRows, reviewRows, calibration }: FilterSettings,
  labelsSha256: string | null,
  dataset: Manifest,
): FingerprintFields {
  const asked = { ...identityOf(classifier, FILTER_PROMPT_VERSION), sampling: classifier.sampling };
  return {
    stage: STAGE,
    codeVersion: FILTER_CODE_VERSION,
    mode,
    ...(mode === 'classifier' ? asked : {}),
    shardRows,
    reviewRows,
    calibration:
      calibration === undefined || mode === 'keepAll'
        ? null
        : {
            labels: labelsSha256,
            minPrecision: calibration.minPrecision,
            minRecall: calibration.minRecall,
            minF1: calibration.minF1,
          },
    dataset: dataset.contentSha256,
  };
}

export async function classifyShard(
  deps: Deps,
  pools: AskPools,
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
  const { kept, dropped, deadLetter, unknownCwes, usage } =
    filter.mode === 'keepAll'
      ? keepAll(rows)
      : sort(
          rows,
          await classify(deps, pools, run, { rows, filter, payer: fingerprint, budget: task.budget }),
        );
  const record = await store.artifacts.putShard('filter', fingerprint, {
    index,
    parts: await writeParts(store, { kept, dropped, deadLetter }),
    counts: {
      rows: rows.length,
      kept: kept.length,
      dropped: dropped.length,
      bad: deadLetter.length,
      unknownCwes,
    },
    usage,
    seconds: (Date.now() - startedMs) / 1000,
  });
  return shardResult(record, false);
}

export async function publishFilter(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  input: Input<'publishFilter'>,
): Promise<StageResult> {
  const { store } = deps;
  const { filter, labelsSha256 } = input;
  const dataset = await store.artifacts.readByUri(input.dataset);
  const taken = await takeAgain(store, run, takeRequest(run, input, dataset));
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, false);
  const { fingerprint, epoch } = taken;
  const shards = await collectShards(store, 'filter', fingerprint, input.shards);
  const parts = (name: string) => shards.records.flatMap((record) => record.parts[name] ?? []);
  const total = dataset.counts['in'] ?? 0;
  const bad = (dataset.counts['bad'] ?? 0) + (shards.counts['bad'] ?? 0);
  const deadLetter = [...(dataset.parts['deadLetter'] ?? []), ...parts('deadLetter')];
  await refuseTooManyBad(store, {
    bad,
    total,
    maxShare: filter.maxBadRowShare,
    field: 'filter.maxBadRowShare',
    deadLetter: deadLetter.toReversed(),
  });
  const { calibration } = filter;
  // Asked again of the ledger: what was measured before the shards is paid already.
  const measured =
    calibration === undefined || filter.mode === 'keepAll'
      ? null
      : await measure(deps, pools, run, { calibration, filter, payer: fingerprint, budget: input.budget });
  if (filter.mode === 'classifier') await tidyLedger(deps, pools, filter.classifier, FILTER_PROMPT_VERSION);
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
        excluded: dataset.parts['excluded'] ?? [],
        deadLetter,
        review: await drawReview(store, {
          kept,
          dropped: parts('dropped'),
          rows: filter.reviewRows,
          seed: fingerprint,
        }),
      },
      files: [],
      counts: {
        in: total,
        kept: shards.counts['kept'] ?? 0,
        dropped: shards.counts['dropped'] ?? 0,
        duplicates: dataset.counts['duplicates'] ?? 0,
        nearDuplicates: dataset.counts['nearDuplicates'] ?? 0,
        contaminated: dataset.counts['contaminated'] ?? 0,
        bad,
        unknownCwes: shards.counts['unknownCwes'] ?? 0,
      },
      facts: {
        dataset: dataset.facts['name'] ?? '',
        license: dataset.facts['license'] ?? 'unknown',
        decontaminated: dataset.facts['decontaminated'] ?? null,
        model: filter.mode === 'classifier' ? filter.classifier.model : 'none',
        revision: filter.classifier.revision,
        promptVersion: FILTER_PROMPT_VERSION,
        calibration: measured === null ? null : agreementFacts(measured),
      },
      fingerprintOf: fingerprintFields(filter, labelsSha256, dataset),
      inputs: [{ name: 'dataset', uri: input.dataset, contentSha256: dataset.contentSha256 }],
      usage: measured === null ? shards.usage : addUsage(shards.usage, measured.usage),
      seconds: dataset.seconds + shards.seconds,
    },
  );
  return result;
}
