/** The traces artefact: verified pairs of (task without security text → reasoning and answer). */
import type {
  ControlActivities,
  DataActivities,
  DistilledShard,
  OpenedStage,
} from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Counts, Manifest } from '../contract/manifest.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import {
  filteredRowSchema,
  rejectedTraceSchema,
  traceRowSchema,
  type FilteredRow,
  type RejectedTrace,
  type TraceRow,
} from '../contract/rows.ts';
import type { StageResult } from '../contract/workflows.ts';
import { matchesSelector } from '../services/cwe/index.ts';
import { analysersAvailable } from '../services/distill/analysers.ts';
import { testVerdictSchema, type TestVerdict } from '../services/distill/candidates.ts';
import { createCweQuota } from '../services/distill/choose.ts';
import { JUDGE_PROMPT_VERSION } from '../services/distill/judge.ts';
import { promptVersionOf } from '../services/distill/prompt.ts';
import { canonicalLanguage } from '../services/language/index.ts';
import { hashParts, readRows, writeRows, type Store } from '../services/store/index.ts';
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
import { DistilRounds } from './distilRounds.ts';
import { identityOf, type AskPools } from './askPools.ts';
import { knowledgeOf, tidyLedger } from './askRows.ts';
import { exportTraces } from './exportTraces.ts';
import type { ActivityRun } from './runActivity.ts';

/** Raised by hand when the same answers give other pairs. */
export const DISTILL_CODE_VERSION = 2;
const STAGE = 'distil';
const KIND = 'traces';
const ROWS_PER_PART = 10_000;

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];
type ControlInput<Name extends keyof ControlActivities> = Parameters<ControlActivities[Name]>[0];

export async function checkOracles({ paths }: Deps, { distill }: Input<'checkOracles'>): Promise<void> {
  await analysersAvailable(paths.pythonPath, distill.oracles.analysers);
}

export async function openTraces(
  deps: Deps,
  run: ActivityRun,
  opening: ControlInput<'openTraces'>,
): Promise<OpenedStage> {
  const { store } = deps;
  const { filtered, distill } = opening;
  const input = await store.artifacts.readByUri(filtered);
  if (input.rows === 0)
    throw new SecpiError('NOTHING_KEPT', `the filter kept none of ${input.counts['in'] ?? 0} tasks.`, {
      field: 'filtered',
    });
  return await openStage(store, run, takeRequest(run, opening, input), {
    rows: input.rows,
    shardRows: distill.shardRows,
    note: async () => await knowledgeOf(store, distill.teacher, promptVersionOf(distill.prompt)),
  });
}

function takeRequest(
  run: ActivityRun,
  opening: Omit<ControlInput<'openTraces'>, 'filtered'>,
  filtered: Manifest,
): TakeRequest {
  return stageRequest(run, opening, {
    kind: KIND,
    fields: fingerprintFields(opening.distill, filtered),
    stage: STAGE,
    sameWork: 'distils the same tasks',
  });
}

/** Endpoint addresses, concurrency and patience do not change what is kept. shardRows names the shards. */
function fingerprintFields(distill: DistillSettings, filtered: Manifest): FingerprintFields {
  const { teacher, oracles, samples } = distill;
  const { judge } = oracles;
  return {
    stage: STAGE,
    codeVersion: DISTILL_CODE_VERSION,
    ...identityOf(teacher, promptVersionOf(distill.prompt)),
    sampling: teacher.sampling,
    shardRows: distill.shardRows,
    keepPromptInPair: distill.keepPromptInPair,
    samples: { n: samples.n, earlyStop: samples.earlyStop },
    oracles: {
      tests: oracles.tests,
      analysers: sorted(oracles.analysers),
      judge:
        judge === undefined
          ? null
          : { ...identityOf(judge.model, JUDGE_PROMPT_VERSION), sampling: judge.model.sampling },
    },
    maxTracesPerCwe: distill.maxTracesPerCwe,
    onlyCwes: sorted(distill.onlyCwes),
    holdOutCwes: sorted(distill.holdOutCwes),
    onlyLanguages: sorted(distill.onlyLanguages.map(canonicalLanguage)),
    holdOutLanguages: sorted(distill.holdOutLanguages.map(canonicalLanguage)),
    decontaminated: filtered.facts['decontaminated'] ?? null,
    filtered: filtered.contentSha256,
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

/** Whether the recipe's families and languages let a task in. */
export function isSelected(
  { cwes, language }: Pick<FilteredRow, 'cwes' | 'language'>,
  distill: DistillSettings,
): boolean {
  const { onlyCwes, holdOutCwes, onlyLanguages, holdOutLanguages } = distill;
  const written = language === null ? null : canonicalLanguage(language);
  const among = (names: readonly string[]): boolean =>
    written !== null && names.some((name) => canonicalLanguage(name) === written);
  if (onlyCwes.length > 0 && !matchesSelector(cwes, onlyCwes)) return false;
  if (matchesSelector(cwes, holdOutCwes)) return false;
  if (onlyLanguages.length > 0 && !among(onlyLanguages)) return false;
  return !among(holdOutLanguages);
}

export async function distilShard(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  task: Input<'distilShard'>,
): Promise<DistilledShard> {
  const { store } = deps;
  const { distill, fingerprint } = task;
  const place = { ...task, kind: KIND } as const;
  const earlier = await earlierShard(store, place);
  if (earlier !== null) return { status: 'done', result: earlier };
  const startedMs = Date.now();
  const filtered = await store.artifacts.readByUri(task.input);
  const all = await shardRowsOf(store, filtered.parts['kept'], task, filteredRowSchema);
  const rows = all.filter((row) => isSelected(row, distill));
  const rounds = new DistilRounds(deps, pools, run, {
    distill,
    rows,
    fingerprint,
    budget: task.budget,
    decontaminated: filtered.facts['decontaminated'],
    verdicts: await readVerdicts(store, task.verdicts),
  });
  const outcome = await rounds.play();
  if (outcome.status === 'test') {
    const [candidates] = await writeRows(store.blobs, outcome.candidates, { rowsPerPart: ROWS_PER_PART });
    if (candidates === undefined) throw new Error('a shard asks for tests of no candidates');
    // Until its tests have run, only the workflow's history names it.
    await store.artifacts.keepHandover(KIND, fingerprint, candidates);
    return { status: 'test', candidates };
  }
  const { pairs, rejected, deadLetter, usage, counts } = outcome;
  const result = await keepShard(store, place, startedMs, {
    lists: { pairs, rejected, deadLetter },
    counts: {
      rows: all.length,
      accepted: pairs.length,
      notSelected: all.length - rows.length,
      bad: deadLetter.length,
      ...counts,
      ...countReasons(rejected),
    },
    usage,
  });
  return { status: 'done', result };
}

async function readVerdicts(store: Store, parts: Input<'distilShard'>['verdicts']): Promise<TestVerdict[]> {
  return await Array.fromAsync(readRows(store.blobs, parts, {}, testVerdictSchema));
}

/** Rejected answers by reason; a task may have several. */
function countReasons(rejected: readonly RejectedTrace[]): Counts {
  const counts: Counts = { rejected: rejected.length };
  for (const { reason } of rejected) counts[`rejected.${reason}`] = (counts[`rejected.${reason}`] ?? 0) + 1;
  return counts;
}

export async function publishTraces(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  input: Input<'publishTraces'>,
): Promise<StageResult> {
  const { store } = deps;
  const { distill } = input;
  const filtered = await store.artifacts.readByUri(input.filtered);
  const taken = await takeAgain(store, run, takeRequest(run, input, filtered));
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, false);
  const { fingerprint, epoch } = taken;
  const shards = await collectShards(store, KIND, fingerprint, input.shards);
  const { parts } = shards;
  const { rows: total = 0, bad = 0, accepted = 0, notSelected = 0, rejected = 0 } = shards.counts;
  await refuseTooManyBad(store, {
    bad,
    total,
    maxShare: distill.maxBadRowShare,
    field: 'distill.maxBadRowShare',
    deadLetter: parts('deadLetter'),
  });
  if (accepted === 0) {
    throw new SecpiError(
      'NOTHING_KEPT',
      `no trace passed the checks: ${rejected} rejected, ${notSelected} not selected, ${bad} bad.`,
      { field: 'distill' },
    );
  }
  await tidyLedger(deps, pools, distill.teacher, promptVersionOf(distill.prompt));
  const { judge } = distill.oracles;
  if (judge !== undefined) await tidyLedger(deps, pools, judge.model, JUDGE_PROMPT_VERSION);
  const quota = createCweQuota(distill.maxTracesPerCwe);
  const overQuota: RejectedTrace[] = [];
  const cwes: Counts = {};
  const languages: Counts = {};
  let kept = 0;
  async function* withinQuota(): AsyncGenerator<TraceRow> {
    for await (const row of readRows(store.blobs, parts('pairs'), {}, traceRowSchema)) {
      const rejection = quota.take(row);
      if (rejection !== null) {
        overQuota.push(rejectedTraceSchema.parse(rejection));
        continue;
      }
      kept += 1;
      for (const cwe of row.cwes) cwes[cwe] = (cwes[cwe] ?? 0) + 1;
      const language = row.language ?? 'unknown';
      languages[language] = (languages[language] ?? 0) + 1;
      yield row;
    }
  }
  const pairs = await writeRows(store.blobs, withinQuota(), { rowsPerPart: ROWS_PER_PART });
  const rejectedParts = [
    ...parts('rejected'),
    ...(await writeRows(store.blobs, overQuota, { rowsPerPart: ROWS_PER_PART })),
  ];
  const { rows: _, ...counts } = shards.counts;
  const facts = {
    cwes,
    languages,
    license: filtered.facts['license'] ?? 'unknown',
    dataset: filtered.facts['dataset'] ?? '',
    model: distill.teacher.model,
    prompt: distill.prompt,
    promptVersion: promptVersionOf(distill.prompt),
  };
  const all: Counts = {
    ...counts,
    in: total,
    accepted: kept,
    ...(overQuota.length === 0
      ? {}
      : { rejected: rejected + overQuota.length, 'rejected.overQuota': overQuota.length }),
  };
  const contentSha256 = await hashParts(store.blobs, pairs);
  const { result } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: KIND,
      contentSha256,
      rows: kept,
      parts: { pairs, rejected: rejectedParts, deadLetter: parts('deadLetter') },
      // The same pairs as a Hugging Face style dataset, with its card.
      files: await exportTraces(deps, {
        pairs,
        rows: kept,
        fingerprint,
        contentSha256,
        distill,
        filtered,
        counts: all,
      }),
      counts: all,
      facts,
      fingerprintOf: fingerprintFields(distill, filtered),
      inputs: [{ name: 'filtered', uri: input.filtered, contentSha256: filtered.contentSha256 }],
      usage: shards.usage,
      seconds: shards.seconds,
    },
  );
  return result;
}
