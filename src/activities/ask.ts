/** The answers artefact: every row of a dataset as it stands through one model. */
import type { ControlActivities, DataActivities, OpenedStage, ShardResult } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { AskInput, StageResult } from '../contract/workflows.ts';
import { taskRowSchema, type AnsweredRow, type DeadLetter, type TaskRow } from '../contract/rows.ts';
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
import type { Deps } from './deps.ts';
import { identityOf, type AskPools } from './askPools.ts';
import { askRows, deadLetterOf, knowledgeOf, tidyLedger } from './askRows.ts';
import type { ActivityRun } from './runActivity.ts';

/** Raised by hand when the same answers give other rows. */
const ASK_CODE_VERSION = 1;
/** Nothing is added to a row's text. */
const ASK_PROMPT_VERSION = 'as-is';
const STAGE = 'ask';
const KIND = 'answers';

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];
type ControlInput<Name extends keyof ControlActivities> = Parameters<ControlActivities[Name]>[0];

export async function openAnswers(
  { store }: Deps,
  run: ActivityRun,
  opening: ControlInput<'openAnswers'>,
): Promise<OpenedStage> {
  const { dataset, ask } = opening;
  const input = await store.artifacts.readByUri(dataset);
  return await openStage(store, run, takeRequest(run, opening, input), {
    rows: input.rows,
    shardRows: ask.shardRows,
    note: async () => await knowledgeOf(store, ask.model, ASK_PROMPT_VERSION),
  });
}

function takeRequest(
  run: ActivityRun,
  opening: Omit<ControlInput<'openAnswers'>, 'dataset'>,
  dataset: Manifest,
): TakeRequest {
  return stageRequest(run, opening, {
    kind: KIND,
    fields: fingerprintFields(opening.ask, dataset),
    stage: STAGE,
    sameWork: 'asks the same',
  });
}

function fingerprintFields({ model, shardRows }: AskInput, dataset: Manifest): FingerprintFields {
  return {
    stage: STAGE,
    codeVersion: ASK_CODE_VERSION,
    ...identityOf(model, ASK_PROMPT_VERSION),
    sampling: model.sampling,
    shardRows,
    dataset: dataset.contentSha256,
  };
}

export async function answerShard(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  task: Input<'answerShard'>,
): Promise<ShardResult> {
  const { store } = deps;
  const { ask, fingerprint, budget } = task;
  const place = { ...task, kind: KIND } as const;
  const earlier = await earlierShard(store, place);
  if (earlier !== null) return earlier;
  const startedMs = Date.now();
  const dataset = await store.artifacts.readByUri(task.input);
  const rows = await shardRowsOf(store, dataset.parts['tasks'], task, taskRowSchema);
  const { results, usage } = await askRows(deps, pools, run, {
    endpoint: ask.model,
    field: 'model',
    stage: STAGE,
    promptVersion: ASK_PROMPT_VERSION,
    fingerprint,
    budget,
    rows,
    messages: (row) => [{ role: 'user', content: row.task }],
    interpret: (answer) => answer,
  });
  const answers: AnsweredRow[] = [];
  const deadLetter: DeadLetter[] = [];
  for (const [position, result] of results.entries()) {
    const row = rows[position] as TaskRow;
    if (result.kind === 'dead') {
      deadLetter.push(deadLetterOf(row, result.error));
      continue;
    }
    const { text, reasoning, finishReason } = result.value;
    answers.push({ index: row.index, id: row.id, answer: text, reasoning, finishReason });
  }
  return await keepShard(store, place, startedMs, {
    lists: { answers, deadLetter },
    counts: { rows: rows.length, answered: answers.length, bad: deadLetter.length },
    usage,
  });
}

export async function publishAnswers(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  input: Input<'publishAnswers'>,
): Promise<StageResult> {
  const { store } = deps;
  const { ask } = input;
  const dataset = await store.artifacts.readByUri(input.dataset);
  const taken = await takeAgain(store, run, takeRequest(run, input, dataset));
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, false);
  const { fingerprint, epoch } = taken;
  const shards = await collectShards(store, KIND, fingerprint, input.shards);
  const { parts } = shards;
  const { rows: total = 0, bad = 0, answered = 0 } = shards.counts;
  await refuseTooManyBad(store, {
    bad,
    total,
    maxShare: ask.maxBadRowShare,
    field: 'maxBadRowShare',
    deadLetter: parts('deadLetter'),
  });
  await tidyLedger(deps, pools, ask.model, ASK_PROMPT_VERSION);
  const answers = parts('answers');
  const { result } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: KIND,
      contentSha256: await hashParts(store.blobs, answers),
      rows: answered,
      parts: { answers, deadLetter: [...(dataset.parts['deadLetter'] ?? []), ...parts('deadLetter')] },
      files: [],
      counts: { ...dataset.counts, rows: total, answered, bad: bad + (dataset.counts['bad'] ?? 0) },
      facts: {
        dataset: dataset.facts['name'] ?? '',
        license: dataset.facts['license'] ?? 'unknown',
        model: ask.model.model,
      },
      fingerprintOf: fingerprintFields(ask, dataset),
      inputs: [{ name: 'dataset', uri: input.dataset, contentSha256: dataset.contentSha256 }],
      usage: shards.usage,
      seconds: dataset.seconds + shards.seconds,
    },
  );
  return result;
}
