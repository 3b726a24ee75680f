/** The filter artefact: which tasks could carry a weakness, and which CWEs. */
import type { ControlActivities, DataActivities, OpenedStage, ShardResult } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { FilterSettings } from '../contract/recipe.ts';
import { taskRowSchema } from '../contract/rows.ts';
import { addUsage } from '../contract/usage.ts';
import type { StageResult } from '../contract/workflows.ts';
import { FILTER_PROMPT_VERSION } from '../services/filter/prompt.ts';
import { drawReview } from '../services/filter/review.ts';
import { hashParts } from '../services/store/index.ts';
import {
  collectShards,
  earlierShard,
  keepShard,
  openStage,
  publishArtifact,
  refuseTooManyBad,
  resultOf,
  shardRowsOf,
  stageRequest,
  takeAgain,
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
const KIND = 'filter';

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
  return await openStage(store, run, takeRequest(run, opening, input), {
    rows: input.rows,
    shardRows: filter.shardRows,
    note: async () =>
      filter.mode === 'keepAll' ? '' : await knowledgeOf(store, filter.classifier, FILTER_PROMPT_VERSION),
  });
}

function takeRequest(
  run: ActivityRun,
  opening: Omit<ControlInput<'openFilter'>, 'dataset'>,
  dataset: Manifest,
): TakeRequest {
  return stageRequest(run, opening, {
    kind: KIND,
    fields: fingerprintFields(opening.filter, opening.labelsSha256, dataset),
    stage: STAGE,
    sameWork: 'filters the same dataset',
  });
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
  const { filter, fingerprint } = task;
  const place = { ...task, kind: KIND } as const;
  const earlier = await earlierShard(store, place);
  if (earlier !== null) return earlier;
  const startedMs = Date.now();
  const dataset = await store.artifacts.readByUri(task.input);
  const rows = await shardRowsOf(store, dataset.parts['tasks'], task, taskRowSchema);
  const { kept, dropped, deadLetter, unknownCwes, usage } =
    filter.mode === 'keepAll'
      ? keepAll(rows)
      : sort(
          rows,
          await classify(deps, pools, run, { rows, filter, payer: fingerprint, budget: task.budget }),
        );
  return await keepShard(store, place, startedMs, {
    lists: { kept, dropped, deadLetter },
    counts: {
      rows: rows.length,
      kept: kept.length,
      dropped: dropped.length,
      bad: deadLetter.length,
      unknownCwes,
    },
    usage,
  });
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
  const shards = await collectShards(store, KIND, fingerprint, input.shards);
  const { parts } = shards;
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
      kind: KIND,
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
