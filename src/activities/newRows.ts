/** What is new in a dataset since the last approved refresh of a series, as a dataset of its own; and the approval. */
import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { Manifest } from '../contract/manifest.ts';
import { cweSchema, taskRowSchema, type TaskRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { StageResult, TraceOverview } from '../contract/workflows.ts';
import { familyOf } from '../services/cwe/index.ts';
import { addApproval, readApprovals } from '../services/refresh/approvals.ts';
import { hashesOf, newRows } from '../services/refresh/newRows.ts';
import { hashParts, readRows, writeRows, type Store } from '../services/store/index.ts';
import { publishArtifact, resultOf, takeArtifact } from './artefactStage.ts';
import type { Deps } from './deps.ts';
import type { ActivityRun } from './runActivity.ts';

/** Raised by hand when the same datasets leave other rows. */
const NEW_ROWS_CODE_VERSION = 1;
const STAGE = 'select new rows';
const ROWS_PER_PART = 10_000;
const MAX_CWES_TOLD = 10;

/** Counts `source` and `seen` beside the rows. */
export async function selectNewRows(
  { store }: Deps,
  run: ActivityRun,
  { dataset, series, reuse, firstRunId }: Parameters<DataActivities['selectNewRows']>[0],
): Promise<StageResult> {
  const startedMs = Date.now();
  const [source, record] = await Promise.all([
    store.artifacts.readByUri(dataset),
    readApprovals(store.objects, series),
  ]);
  const approved = record.approved.filter(
    (it) => it.workflowId !== run.owner.workflowId || it.firstRunId !== firstRunId,
  );
  const earlier: Manifest[] = [];
  for (const { dataset: uri } of approved) earlier.push(await store.artifacts.readByUri(uri));
  const fields = {
    stage: 'new rows',
    codeVersion: NEW_ROWS_CODE_VERSION,
    dataset: source.contentSha256,
    approved: earlier.map(({ contentSha256 }) => contentSha256).sort(),
  };
  const taken = await takeArtifact(store, run, {
    kind: 'dataset',
    fields,
    reuse,
    owner: run.owner,
    stage: STAGE,
    sameWork: 'selects the same rows',
  });
  if (taken.status === 'published') return resultOf(taken.ref, taken.manifest, true);
  async function* seen(): AsyncGenerator<TaskRow> {
    for (const manifest of earlier) yield* tasksOf(store, manifest, run);
  }
  const isSeen = await hashesOf(seen());
  const tasks = await writeRows(store.blobs, newRows(tasksOf(store, source, run), isSeen), {
    rowsPerPart: ROWS_PER_PART,
  });
  const rows = tasks.reduce((sum, part) => sum + part.rows, 0);
  const { result } = await publishArtifact(
    store,
    { ...taken, owner: run.owner },
    {
      kind: 'dataset',
      contentSha256: await hashParts(store.blobs, tasks),
      rows,
      parts: { tasks },
      files: [],
      counts: { in: rows, rows, source: source.rows, seen: source.rows - rows },
      facts: source.facts,
      fingerprintOf: fields,
      inputs: [
        { name: 'dataset', uri: dataset, contentSha256: source.contentSha256 },
        ...earlier.map((manifest, index) => ({
          name: `approved ${index + 1}`,
          uri: approved[index]?.dataset ?? '',
          contentSha256: manifest.contentSha256,
        })),
      ],
      usage: emptyUsage,
      seconds: (Date.now() - startedMs) / 1000,
    },
  );
  return result;
}

async function* tasksOf({ blobs }: Store, { parts }: Manifest, run: ActivityRun): AsyncGenerator<TaskRow> {
  let rows = 0;
  for await (const row of readRows(blobs, parts['tasks'] ?? [], {}, taskRowSchema)) {
    run.signal.throwIfAborted();
    rows += 1;
    if (rows % ROWS_PER_PART === 0) run.beat();
    yield row;
  }
}

export async function describeTraces(
  { store }: Deps,
  { traces }: Parameters<ControlActivities['describeTraces']>[0],
): Promise<TraceOverview> {
  const { facts } = await store.artifacts.readByUri(traces);
  const counts = Object.entries(facts['cwes'] ?? {}).flatMap(([name, count]) => {
    const cwe = cweSchema.safeParse(name);
    return cwe.success && typeof count === 'number' ? [{ cwe: cwe.data, traces: count }] : [];
  });
  const families = counts.map(({ cwe }) => familyOf(cwe)).filter((family) => family !== null);
  return {
    families: [...new Set(families)].sort(),
    cwes: counts
      .sort((left, right) => right.traces - left.traces || left.cwe.localeCompare(right.cwe))
      .slice(0, MAX_CWES_TOLD),
  };
}

export async function markRowsSeen(
  { store }: Deps,
  { series, approval }: Parameters<ControlActivities['markRowsSeen']>[0],
): Promise<void> {
  await addApproval(store.objects, series, approval);
}
