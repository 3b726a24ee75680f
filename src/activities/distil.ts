/** The traces artefact: verified pairs of (task without security text → reasoning and answer). */
import type { DataActivities, OpenedStage, ShardResult } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import {
  filteredRowSchema,
  traceRowSchema,
  type DeadLetter,
  type FilteredRow,
  type RejectedTrace,
  type TraceRow,
} from '../contract/rows.ts';
import type { StageResult } from '../contract/workflows.ts';
import { DISTILL_PROMPT_VERSION, teacherMessages } from '../services/distill/prompt.ts';
import { createCodeParser } from '../services/distill/parseCode.ts';
import { judgeTrace } from '../services/distill/judgeTrace.ts';
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

/** Raised by hand when the same answers give other pairs. */
export const DISTILL_CODE_VERSION = 1;
const STAGE = 'distil';
const FIELD = 'distill.teacher';

type Input<Name extends keyof DataActivities> = Parameters<DataActivities[Name]>[0];

export async function openTraces(
  { store }: Deps,
  run: ActivityRun,
  { filtered, distill, reuse }: Input<'openTraces'>,
): Promise<OpenedStage> {
  const input = await store.artifacts.readByUri(filtered);
  if (input.rows === 0)
    throw new SecpiError('NOTHING_KEPT', `the filter kept none of ${input.counts['in'] ?? 0} tasks.`, {
      field: 'filtered',
    });
  const taken = await takeArtifact(store, run, {
    kind: 'traces',
    fields: fingerprintFields(distill, input),
    reuse,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'distils the same tasks',
  });
  if (taken.status === 'published')
    return { status: 'published', result: resultOf(taken.ref, taken.manifest, true) };
  return { ...taken, rows: input.rows, shards: Math.ceil(input.rows / distill.shardRows) };
}

function fingerprintFields(
  { teacher, shardRows, holdOutCwes }: DistillSettings,
  filtered: Manifest,
): FingerprintFields {
  return {
    stage: STAGE,
    codeVersion: DISTILL_CODE_VERSION,
    ...identityOf(teacher, DISTILL_PROMPT_VERSION),
    sampling: teacher.sampling,
    shardRows,
    holdOutCwes: [...new Set(holdOutCwes)].sort(),
    filtered: filtered.contentSha256,
  };
}

export async function distilShard(
  deps: Deps,
  ledgers: LedgerPool,
  run: ActivityRun,
  task: Input<'distilShard'>,
): Promise<ShardResult> {
  const { store, paths } = deps;
  const { distill, fingerprint, index, shardRows } = task;
  const earlier = await store.artifacts.getShard('traces', fingerprint, index);
  if (earlier !== null) return shardResult(earlier, true);
  const startedMs = Date.now();
  const filtered = await store.artifacts.readByUri(task.input);
  const all = await Array.fromAsync(
    readRows(
      store.blobs,
      filtered.parts['kept'] ?? [],
      { from: index * shardRows, to: (index + 1) * shardRows },
      filteredRowSchema,
    ),
  );
  const heldOut = new Set(distill.holdOutCwes);
  const rows = all.filter(({ cwes }) => !cwes.some((cwe) => heldOut.has(cwe)));
  const { results, usage } = await askRows(deps, ledgers, run, {
    endpoint: distill.teacher,
    field: FIELD,
    promptVersion: DISTILL_PROMPT_VERSION,
    fingerprint,
    rows,
    messages: (row) => teacherMessages(row.task, row.cwes),
    interpret: (answer) => answer,
  });
  const parser = createCodeParser(paths.pythonPath);
  try {
    const pairs: TraceRow[] = [];
    const rejected: RejectedTrace[] = [];
    const deadLetter: DeadLetter[] = [];
    let notParsed = 0;
    for (const [position, result] of results.entries()) {
      const row = rows[position] as FilteredRow;
      if (result.kind === 'dead') {
        deadLetter.push(deadLetterOf(row, result.error));
        continue;
      }
      const judged = await judgeTrace(row, result.value, parser);
      if (judged.kind === 'rejected') rejected.push(judged.row);
      else pairs.push(judged.row);
      if (judged.kind === 'accepted' && !judged.parsed) notParsed += 1;
    }
    const record = await store.artifacts.putShard('traces', fingerprint, {
      index,
      parts: await writeParts(store, { pairs, rejected, deadLetter }),
      counts: {
        rows: all.length,
        accepted: pairs.length,
        rejected: rejected.length,
        heldOut: all.length - rows.length,
        bad: deadLetter.length,
        acceptedWithoutParser: notParsed,
        ...countReasons(rejected),
      },
      usage,
      seconds: (Date.now() - startedMs) / 1000,
    });
    return shardResult(record, false);
  } finally {
    await parser.close();
  }
}

function countReasons(rejected: readonly RejectedTrace[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejected) counts[`rejected.${reason}`] = (counts[`rejected.${reason}`] ?? 0) + 1;
  return counts;
}

export async function publishTraces(
  { store }: Deps,
  run: ActivityRun,
  input: Input<'publishTraces'>,
): Promise<StageResult> {
  const { fingerprint, epoch, distill } = input;
  const filtered = await store.artifacts.readByUri(input.filtered);
  const shards = await collectShards(store, 'traces', fingerprint, input.shards);
  const parts = (name: string) => shards.records.flatMap((record) => record.parts[name] ?? []);
  const { rows: total = 0, bad = 0, accepted = 0, heldOut = 0, rejected = 0 } = shards.counts;
  if (bad > distill.maxBadRowShare * total) {
    const sample = await firstDeadLetter(store, parts('deadLetter'));
    throw new SecpiError(
      'TOO_MANY_BAD_ROWS',
      `${bad} of ${total} tasks got no usable answer, more than maxBadRowShare ${distill.maxBadRowShare}. ${sample}`,
      {
        field: 'distill.maxBadRowShare',
      },
    );
  }
  if (accepted === 0) {
    throw new SecpiError(
      'NOTHING_KEPT',
      `no trace passed the checks: ${rejected} rejected, ${heldOut} held out, ${bad} bad.`,
      { field: 'distill' },
    );
  }
  const pairs = parts('pairs');
  const cwes: Record<string, number> = {};
  for await (const row of readRows(store.blobs, pairs, {}, traceRowSchema)) {
    for (const cwe of row.cwes) cwes[cwe] = (cwes[cwe] ?? 0) + 1;
  }
  const { result } = await publishArtifact(
    store,
    { fingerprint, epoch, owner: run.owner },
    {
      kind: 'traces',
      contentSha256: await hashParts(store.blobs, pairs),
      rows: accepted,
      parts: { pairs, rejected: parts('rejected'), deadLetter: parts('deadLetter') },
      files: [],
      counts: { ...omitRows(shards.counts), in: total },
      facts: {
        cwes,
        license: filtered.facts['license'] ?? 'unknown',
        model: distill.teacher.model,
        promptVersion: DISTILL_PROMPT_VERSION,
      },
      fingerprintOf: fingerprintFields(distill, filtered),
      inputs: [{ name: 'filtered', uri: input.filtered, contentSha256: filtered.contentSha256 }],
      usage: shards.usage,
      seconds: shards.seconds,
    },
  );
  return result;
}

function omitRows(counts: Manifest['counts']): Manifest['counts'] {
  const { rows: _, ...rest } = counts;
  return rest;
}
