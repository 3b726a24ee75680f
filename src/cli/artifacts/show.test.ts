import { describe, expect, it } from 'vitest';
import type { LineageNode, Making } from '../../services/artifacts/index.ts';
import type { Collection } from '../../services/store/index.ts';
import { showCollection, showLineage, sizeOf } from './show.ts';

const made = (kind: Making['kind'], about: string | null): Making => ({
  kind,
  about,
  contentSha256: 'ab'.repeat(32),
  rows: 12,
  bytes: 2_500_000,
  createdAt: '2026-01-02T03:04:05.000Z',
  workflowId: 'nightly/1',
  runId: 'r',
  epoch: 1,
  costUsd: 0,
  license: null,
});
const node = (as: string, making: Making | null, inputs: LineageNode[] = []): LineageNode => ({
  as,
  uri: `s3://b/${as}`,
  made: making,
  isRepeated: false,
  inputs,
});

describe('showLineage', () => {
  it('draws a tree that ends at what came from outside', () => {
    const dataset = node('dataset', made('dataset', 'tasks\u001b[31m'));
    const filtered = node('filtered', { ...made('filter', null), epoch: 2, costUsd: 0.5 }, [dataset]);
    const root = node('', made('model', 'hf:base'), [
      { ...node('traces', made('traces', 'teacher'), [filtered]) },
      { ...node('base', null), uri: 'hf:base' },
    ]);
    expect(showLineage(root).split('\n')).toEqual([
      'model  s3://b/',
      '│ hf:base, 12 rows, 2.5 MB',
      '│ made 2026-01-02T03:04:05.000Z by nightly/1',
      '├─traces: traces  s3://b/traces',
      '│ │ teacher, 12 rows, 2.5 MB',
      '│ │ made 2026-01-02T03:04:05.000Z by nightly/1',
      '│ └─filtered: filter  s3://b/filtered',
      '│   │ 12 rows, 2.5 MB, $0.5000',
      '│   │ made 2026-01-02T03:04:05.000Z by nightly/1, epoch 2',
      '│   └─dataset: dataset  s3://b/dataset',
      expect.not.stringContaining('\u001b'),
      '│       made 2026-01-02T03:04:05.000Z by nightly/1',
      '└─base: hf:base',
    ]);
  });

  it('does not repeat the inputs of what stands above', () => {
    const again = { ...node('b', made('traces', null)), isRepeated: true };
    expect(showLineage(node('', made('model', null), [again]))).toMatch(
      /b: traces {2}s3:\/\/b\/b\n {4}\(as above\)$/u,
    );
  });
});

describe('showCollection', () => {
  const none = { objects: 0, bytes: 0 };
  const collection: Collection = {
    swept: false,
    graceMs: 48 * 3_600_000,
    needed: { objects: 2, bytes: 2000 },
    young: none,
    garbage: { objects: 1, bytes: 1 },
    records: none,
    uploadsAborted: 0,
    foreign: none,
    missing: [],
    lost: [],
    notes: [],
  };

  it('says what would go, and how it goes', () => {
    const text = showCollection(collection);
    expect(text).toContain('1 object, 1 B: would be deleted');
    expect(text).toMatch(/Nothing was deleted: --delete does it\.$/u);
  });

  it('is loud about what is lost', () => {
    const lost = [{ sha256: 'ab'.repeat(32), namedBy: 'artifacts/x' }];
    expect(showCollection({ ...collection, swept: true, lost })).toContain(
      '1 blobs are LOST: deleted by this collection, and named now:\n  abab',
    );
  });
});

describe('sizeOf', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [59_000_000, '59.0 MB'],
    [5e15, '5000.0 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(sizeOf(bytes)).toBe(text);
  });
});
