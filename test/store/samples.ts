/** Manifests and records for tests. */
import type { Manifest, ShardRecord } from '../../src/contract/manifest.ts';
import type { Owner } from '../../src/contract/refs.ts';
import { emptyUsage } from '../../src/contract/usage.ts';
import { hashRows, writeRows } from '../../src/services/store/index.ts';
import type { Store } from '../../src/services/store/index.ts';

const usage = emptyUsage;

export const owner = (runId: string): Owner => ({
  namespace: 'default',
  workflowId: `workflow of ${runId}`,
  runId,
  writer: '',
});

/** A manifest of two rows that are in the store. */
export async function manifestFor(
  store: Store,
  fingerprint: string,
  epoch: number,
  createdBy: Owner,
  seconds = 1,
): Promise<Manifest> {
  const rows = [{ index: 0 }, { index: 1 }];
  return {
    kind: 'filter',
    fingerprint,
    contentSha256: await hashRows(rows),
    rows: rows.length,
    parts: { kept: await writeRows(store.blobs, rows, { rowsPerPart: 10 }) },
    files: [],
    counts: { kept: rows.length },
    facts: { cwes: ['CWE-89'] },
    fingerprintOf: {},
    inputs: [],
    usage,
    seconds,
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy,
    epoch,
  };
}

export const shardRecord = (index: number, seconds: number): ShardRecord => ({
  index,
  parts: {},
  counts: { kept: index },
  usage,
  seconds,
});
