/** What was approved in a series of refreshes: one small object, changed by conditional writes only. */
import { SecpiError } from '../../contract/errors.ts';
import {
  refreshStateSchema,
  type ApprovedRefresh,
  type RefreshRecord,
} from '../../contract/workflows/refreshData.ts';
import { refreshStateKey, type ObjectStore } from '../store/index.ts';
import { parseStored, storedForm } from '../store/heads.ts';

/** Each round lost means that another run's approval was written. */
const MAX_ROUNDS = 16;

/** Empty for a series that nobody approved anything in. */
export async function readApprovals(objects: ObjectStore, series: string): Promise<RefreshRecord> {
  return (await read(objects, series)).record;
}

/** Adds an approval, once for each run and dataset. */
export async function addApproval(
  objects: ObjectStore,
  series: string,
  approval: ApprovedRefresh,
): Promise<RefreshRecord> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { record, etag } = await read(objects, series);
    if (record.approved.some((earlier) => isSame(earlier, approval))) return record;
    const next: RefreshRecord = { ...record, approved: [...record.approved, approval] };
    const key = refreshStateKey(series);
    const written =
      etag === null
        ? (await objects.putIfAbsent(key, storedForm(next))) !== 'conflict'
        : (await objects.replaceIfMatch(key, storedForm(next), etag)).replaced;
    if (written) return next;
  }
  throw new SecpiError(
    'STORE_UNAVAILABLE',
    `other runs approved refreshes of "${series}" ${MAX_ROUNDS} times in a row while this one was written.`,
  );
}

function isSame(left: ApprovedRefresh, right: ApprovedRefresh): boolean {
  return (
    left.workflowId === right.workflowId &&
    left.firstRunId === right.firstRunId &&
    left.dataset === right.dataset
  );
}

async function read(
  objects: ObjectStore,
  series: string,
): Promise<{ readonly record: RefreshRecord; readonly etag: string | null }> {
  const key = refreshStateKey(series);
  const found = await objects.get(key);
  if (found === null) return { record: { version: 1, series, approved: [] }, etag: null };
  return { record: parseStored(refreshStateSchema, found.bytes, objects.uriOf(key)), etag: found.etag };
}
