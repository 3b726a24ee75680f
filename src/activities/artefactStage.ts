/** Taking, waiting for and publishing an artefact: the part that every stage shares. */
import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, type Client } from '@temporalio/client';
import type { z } from 'zod';
import type { OpenedStage, Opening, ShardResult } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import { sumUsage } from '../contract/usage.ts';
import type { Counts, Manifest, ShardRecord } from '../contract/manifest.ts';
import type { ArtifactKind, ArtifactRef, Owner, Part } from '../contract/refs.ts';
import type { StageResult } from '../contract/workflows.ts';
import { deadLetterSchema } from '../contract/rows.ts';
import { fingerprint, readRows, writeRows, type Store } from '../services/store/index.ts';
import type { ActivityRun } from './runActivity.ts';

const POLL_OWNER_MS = 3000;

/** What decides the outcome of a stage; kept in its manifest so that a reader sees what the fingerprint stands for. */
export type FingerprintFields = Manifest['fingerprintOf'];

export type TakenNow = Taken | { readonly status: 'busy'; readonly owner: Owner };

export type Taken =
  | { readonly status: 'published'; readonly manifest: Manifest; readonly ref: ArtifactRef }
  | { readonly status: 'owned'; readonly fingerprint: string; readonly epoch: number };

export interface TakeRequest {
  readonly kind: ArtifactKind;
  readonly fields: FingerprintFields;
  readonly reuse: 'always' | 'never';
  /** With reuse "never": whose own the artefact is, where a long stage goes on as another run; default the owner's run. */
  readonly onlyRun?: string;
  /** The run, or the attempt, that would be the one writer. */
  readonly owner: Owner;
  /** Where waiting is shown, and for what: "waits for RUN, which trains the same model". */
  readonly stage: string;
  readonly sameWork: string;
}

/** The fingerprint of a stage; with reuse "never" it belongs to this run alone. */
function stageFingerprint({ fields, reuse, owner, onlyRun }: TakeRequest): string {
  return fingerprint(reuse === 'always' ? fields : { ...fields, onlyRun: onlyRun ?? owner.runId });
}

/**
 * Takes the artefact for this run, or waits for the run that makes it and takes its result: two runs never pay for
 * the same fingerprint. A holder whose run has ended is succeeded with a higher epoch.
 */
export async function takeArtifact(store: Store, run: ActivityRun, request: TakeRequest): Promise<Taken> {
  let told = '';
  for (;;) {
    run.signal.throwIfAborted();
    const taken = await tryToTake(store, run, request);
    if (taken.status !== 'busy') return taken;
    const note = `waits for ${taken.owner.workflowId}, which ${request.sameWork}`;
    if (note === told) run.beat();
    else run.progress(request.stage, { note });
    told = note;
    await delay(POLL_OWNER_MS, undefined, { signal: run.signal });
  }
}

/** As `takeArtifact`, but without waiting for another run. */
export async function tryToTake(store: Store, run: ActivityRun, request: TakeRequest): Promise<TakenNow> {
  const id = stageFingerprint(request);
  const claim = await store.artifacts.claim({
    kind: request.kind,
    fingerprint: id,
    owner: request.owner,
    isOwnerAlive: async (holder) => await isRunOpen(run.client, holder, request.owner),
  });
  return claim.status === 'owned' ? { status: 'owned', fingerprint: id, epoch: claim.epoch } : claim;
}

/** What an opening of a stage that asks a model takes. */
export function stageRequest(
  run: ActivityRun,
  { reuse, firstRun }: Opening,
  stage: Pick<TakeRequest, 'kind' | 'fields' | 'stage' | 'sameWork'>,
): TakeRequest {
  return { ...stage, reuse, onlyRun: firstRun, owner: run.owner };
}

/** Takes the artefact and plans its shards; `note` is asked for where there is something to do. */
export async function openStage(
  store: Store,
  run: ActivityRun,
  request: TakeRequest,
  plan: { readonly rows: number; readonly shardRows: number; readonly note: () => Promise<string> },
): Promise<OpenedStage> {
  const taken = await takeArtifact(store, run, request);
  if (taken.status === 'published')
    return { status: 'published', result: resultOf(taken.ref, taken.manifest, true) };
  const { rows, shardRows, note } = plan;
  return { ...taken, note: await note(), rows, shards: Math.ceil(rows / shardRows) };
}

/**
 * Before publishing: the writer as the head says now. After a reset, or when a stage went on as another run, it is
 * another one than at the opening, under a higher epoch. Throws HEAD_FENCED when another run has taken over.
 */
export async function takeAgain(store: Store, run: ActivityRun, request: TakeRequest): Promise<Taken> {
  const taken = await tryToTake(store, run, request);
  if (taken.status !== 'busy') return taken;
  throw new SecpiError('HEAD_FENCED', `${taken.owner.workflowId} makes this artefact now.`);
}

/**
 * Temporal knows who lives. Of the attempts of one run the later one holds: an earlier one never counts as alive, and
 * is fenced; to a zombie that wakes late, its successor does.
 */
export async function isRunOpen(client: Client, holder: Owner, asking: Owner): Promise<boolean> {
  if (holder.workflowId === asking.workflowId && holder.runId === asking.runId)
    return holder.writer > asking.writer;
  try {
    const description = await client.workflow.getHandle(holder.workflowId, holder.runId).describe();
    if (description.status.name !== 'CONTINUED_AS_NEW') return description.status.name === 'RUNNING';
    // A long stage goes on as another run of its workflow: that one takes the artefact over, others wait for it.
    if (holder.workflowId === asking.workflowId) return false;
    const current = await client.workflow.getHandle(holder.workflowId).describe();
    return current.status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof Error && (error.name === 'WorkflowNotFoundError' || isNotFound(error))) return false;
    throw error;
  }
}

function isNotFound(error: Error): boolean {
  const GRPC_NOT_FOUND = 5;
  return isGrpcServiceError(error) && error.code === GRPC_NOT_FOUND;
}

export interface ShardSums {
  readonly records: readonly ShardRecord[];
  readonly counts: Counts;
  readonly usage: Manifest['usage'];
  readonly seconds: number;
  /** Of all shards, by the name of the output. */
  readonly parts: (name: string) => Part[];
}

/** All shard records 0..shards-1 in order; throws when one is missing, since a hole must never be published. */
export async function collectShards(
  store: Store,
  kind: ArtifactKind,
  id: string,
  shards: number,
): Promise<ShardSums> {
  const records = await store.artifacts.listShards(kind, id);
  const missing = Array.from({ length: shards }, (_, index) => index).find(
    (index) => records[index]?.index !== index,
  );
  if (missing !== undefined || records.length !== shards) {
    throw new Error(
      `artefact ${kind}/${id}: shard ${missing ?? shards} is missing or extra, ${records.length} of ${shards} are there`,
    );
  }
  return {
    records,
    counts: addCounts(records.map(({ counts }) => counts)),
    usage: sumUsage(records.map(({ usage }) => usage)),
    seconds: records.reduce((sum, { seconds }) => sum + seconds, 0),
    parts: (name) => records.flatMap((record) => record.parts[name] ?? []),
  };
}

function addCounts(all: readonly Counts[]): Counts {
  const sum: Counts = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

/** What a stage says of its artefact; who made it, when and under which epoch is added by `publishArtifact`. */
export type ArtifactContent = Omit<Manifest, 'fingerprint' | 'epoch' | 'createdAt' | 'createdBy'>;

export interface Publication {
  readonly result: StageResult;
  readonly manifest: Manifest;
}

/** Publishes as the writer of `epoch`. Throws HEAD_FENCED when another one took over. */
export async function publishArtifact(
  store: Store,
  {
    fingerprint: id,
    epoch,
    owner,
  }: { readonly fingerprint: string; readonly epoch: number; readonly owner: Owner },
  content: ArtifactContent,
): Promise<Publication> {
  const manifest: Manifest = {
    ...content,
    fingerprint: id,
    epoch,
    createdAt: new Date().toISOString(),
    createdBy: owner,
  };
  const { kind } = content;
  const ref = await store.artifacts.publish({ kind, fingerprint: id, epoch, owner, manifest });
  return { result: resultOf(ref, manifest, false), manifest };
}

/** A stage's result from its manifest. */
export function resultOf(ref: ArtifactRef, manifest: Manifest, reused: boolean): StageResult {
  return { artifact: ref, reused, counts: manifest.counts, usage: manifest.usage, seconds: manifest.seconds };
}

function shardResult({ counts, usage }: ShardRecord, reused: boolean): ShardResult {
  return { rows: counts['rows'] ?? 0, bad: counts['bad'] ?? 0, usage, reused };
}

export interface ShardPlace {
  readonly kind: ArtifactKind;
  readonly fingerprint: string;
  readonly index: number;
}

/** What an earlier attempt or run made of the shard, or null. */
export async function earlierShard(
  store: Store,
  { kind, fingerprint: id, index }: ShardPlace,
): Promise<ShardResult | null> {
  const record = await store.artifacts.getShard(kind, id, index);
  return record === null ? null : shardResult(record, true);
}

/** The rows of one shard. */
export async function shardRowsOf<T>(
  store: Store,
  parts: readonly Part[] | undefined,
  { index, shardRows }: { readonly index: number; readonly shardRows: number },
  schema: z.ZodType<T>,
): Promise<T[]> {
  const range = { from: index * shardRows, to: (index + 1) * shardRows };
  return await Array.fromAsync(readRows(store.blobs, parts ?? [], range, schema));
}

/** Records a finished shard: each named list is one part of it. Returns the record that holds. */
export async function keepShard(
  store: Store,
  { kind, fingerprint: id, index }: ShardPlace,
  startedMs: number,
  {
    lists,
    counts,
    usage,
  }: Pick<ShardRecord, 'counts' | 'usage'> & { readonly lists: Parameters<typeof writeParts>[1] },
): Promise<ShardResult> {
  const record = await store.artifacts.putShard(kind, id, {
    index,
    parts: await writeParts(store, lists),
    counts,
    usage,
    seconds: (Date.now() - startedMs) / 1000,
  });
  return shardResult(record, false);
}

/** Each named list as one part; an empty list has none. */
async function writeParts(
  store: Store,
  lists: Readonly<Record<string, readonly unknown[]>>,
): Promise<ShardRecord['parts']> {
  const parts: ShardRecord['parts'] = {};
  for (const [name, rows] of Object.entries(lists)) {
    const [part] = await writeRows(store.blobs, rows, { rowsPerPart: Math.max(1, rows.length) });
    if (part !== undefined) parts[name] = part;
  }
  return parts;
}

/** Throws TOO_MANY_BAD_ROWS with the first reason. */
export async function refuseTooManyBad(
  store: Store,
  {
    bad,
    total,
    maxShare,
    field,
    deadLetter,
  }: {
    readonly bad: number;
    readonly total: number;
    readonly maxShare: number;
    readonly field: string;
    readonly deadLetter: readonly Part[];
  },
): Promise<void> {
  if (bad <= maxShare * total) return;
  let sample = '';
  for await (const { reason } of readRows(store.blobs, deadLetter, { to: 1 }, deadLetterSchema))
    sample = ` The first: ${reason}`;
  throw new SecpiError(
    'TOO_MANY_BAD_ROWS',
    `${bad} of ${total} rows could not be processed, more than maxBadRowShare ${maxShare}.${sample}`,
    { field },
  );
}
