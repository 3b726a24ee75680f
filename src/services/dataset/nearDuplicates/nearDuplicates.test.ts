import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBreath } from '../breath.ts';
import { candidateProbability, chooseBanding } from './banding.ts';
import { findNearDuplicates, planPasses, type NearDuplicates } from './findNearDuplicates.ts';
import { createMinHasher, PERMUTATIONS, similarity, writeBytes } from './minHash.ts';
import { createSignatureFile } from './signatureFile.ts';
import { createKeySorter } from './sortByKey.ts';
import { createUnionFind } from './unionFind.ts';
import { createWordReader } from './words.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-near-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

/** Texts of numbered words; `changed` of them are others. */
function words(from: number, count: number, changed: readonly number[] = []): string {
  return Array.from({ length: count }, (_, at) =>
    changed.includes(at) ? `other${from + at}` : `w${from + at}`,
  ).join(' ');
}

async function find(
  texts: readonly string[],
  thresholds = { removeFrom: 0.85, groupFrom: 0.6 },
): Promise<NearDuplicates> {
  const passes = planPasses(thresholds);
  const file = await createSignatureFile(
    await mkdtemp(join(dir, 'find-')),
    passes.map(({ banding }) => banding),
  );
  const hasher = createMinHasher();
  for (const text of texts) await file.append(hasher.sign(text));
  await file.finish();
  return await findNearDuplicates(file, passes, thresholds, createBreath());
}

describe('words', () => {
  const read = (text: string): number[] => [...createWordReader(1000).read(text)];
  it.each([
    ['Read  the FILE.', 'read the file'],
    ['über-alles', 'ÜBER alles'],
    ['a_b(c)', 'a_b c'],
    ['写函数', '写 函 数'],
    ['', ' .,; '],
  ])('of %j and %j are the same', (left, right) => {
    expect(read(left)).toEqual(read(right));
  });
  it.each([
    ['read file', 'readfile'],
    ['ab c', 'a bc'],
    ['one two', 'two one'],
  ])('of %j and %j differ', (left, right) => {
    expect(read(left)).not.toEqual(read(right));
  });
  it('are read up to the limit', () => {
    expect(createWordReader(3).read('a b c d e').length).toBe(3);
    expect(createWordReader(5000).read('a '.repeat(4000)).length).toBe(4000);
  });
});

describe('signatures', () => {
  it('of fewer than five words do not exist', () => {
    const hasher = createMinHasher();
    expect(hasher.sign('one two three four')).toBeNull();
    expect(hasher.sign('one two three four five')?.length).toBe(PERMUTATIONS);
  });

  it.each([0.2, 0.4, 0.6, 0.85, 0.95])('estimate a similarity of %d without bias', (exact) => {
    // Two runs of words that share their beginning: n common 5-grams, and m of each one's own.
    const common = 200;
    const own = Math.round((common * (1 - exact)) / (2 * exact));
    const hasher = createMinHasher();
    const bytesOf = (text: string): Uint8Array => {
      const bytes = new Uint8Array(PERMUTATIONS);
      writeBytes(hasher.sign(text) ?? new Uint32Array(), bytes, 0);
      return bytes;
    };
    const estimates = Array.from({ length: 60 }, (_, trial) => {
      const shared = words(10_000 * trial, common + 4);
      const left = `${shared} ${words(10_000 * trial + 3000, own)}`;
      const right = `${shared} ${words(10_000 * trial + 6000, own)}`;
      return similarity(bytesOf(left), bytesOf(right));
    });
    const mean = estimates.reduce((sum, value) => sum + value, 0) / estimates.length;
    const truth = common / (common + 2 * own);
    // Six standard errors of the mean of 60 estimates from 128 permutations.
    expect(Math.abs(mean - truth)).toBeLessThan(6 * Math.sqrt((truth * (1 - truth)) / (128 * 60)) + 0.002);
    expect(Math.max(...estimates.map((value) => Math.abs(value - truth)))).toBeLessThan(0.18);
  });
});

describe('banding', () => {
  it.each([
    [0.6, 32, 4],
    [0.85, 16, 8],
    [1, 4, 32],
    [0.05, 128, 1],
  ])('for %d has %i bands of %i', (threshold, bands, width) => {
    expect(chooseBanding(threshold)).toEqual({ bands, width });
  });
  it('misses at most 2 % of pairs at the threshold', () => {
    for (let threshold = 0.1; threshold <= 1; threshold += 0.05)
      expect(candidateProbability(threshold, chooseBanding(threshold))).toBeGreaterThanOrEqual(0.98);
  });
});

describe('sorting and sets', () => {
  it('sorts rows by key and keeps the order of equal ones', async () => {
    const keys = Uint32Array.from({ length: 5000 }, (_, row) => Math.imul(row % 700, 0x9e3779b1) >>> 0);
    const rows = Uint32Array.from(keys.keys());
    const sorted = await createKeySorter(5000).sort(rows, keys, createBreath());
    const expected = [...rows].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
    expect([...sorted]).toEqual(expected);
  });
  it('names a set by its first row', () => {
    const sets = createUnionFind(6);
    sets.union(5, 3);
    sets.union(4, 5);
    sets.union(1, 2);
    expect([0, 1, 2, 3, 4, 5].map((row) => sets.find(row))).toEqual([0, 1, 1, 3, 3, 3]);
  });
});

describe('near-duplicates', () => {
  const base = words(0, 100);

  it('go, and alike rows are grouped', async () => {
    const found = await find([
      base,
      words(1000, 100),
      // 91 of 101 5-grams in common, 0.90.
      words(0, 100, [50]),
      // 76 of 116, 0.66.
      words(0, 100, [20, 40, 60, 80]),
      // 46 of 146, 0.32; less alike to the others.
      words(0, 100, [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]),
    ]);
    expect([0, 1, 2, 3, 4].map((row) => found.groupOf(row))).toEqual([0, 1, 0, 0, 4]);
    expect([0, 1, 3, 4].map((row) => found.removedFor(row))).toEqual([null, null, null, null]);
    expect(found.removedFor(2)?.row).toBe(0);
    expect(found.removedFor(2)?.similarity).toBeGreaterThan(0.85);
  });

  it('are never removed for a row that went itself', async () => {
    // Each differs from the one before by one word at its end: a chain.
    const chain = Array.from({ length: 30 }, (_, shift) => words(shift * 2, 60));
    const found = await find(chain);
    for (const row of chain.keys()) {
      const removed = found.removedFor(row);
      expect(found.groupOf(row)).toBe(0);
      if (removed === null) continue;
      expect(removed.row).toBeLessThan(row);
      expect(found.removedFor(removed.row)).toBeNull();
      expect(removed.similarity).toBeGreaterThanOrEqual(0.85);
    }
    expect(chain.filter((_, row) => found.removedFor(row) === null).length).toBeGreaterThan(5);
  });

  it('may be grouped without being removed, or only be removed', async () => {
    const texts = [base, words(0, 100, [50]), words(0, 100, [50, 99])];
    const onlyGroups = await find(texts, { removeFrom: 1, groupFrom: 0.6 });
    expect(texts.map((_, row) => [onlyGroups.groupOf(row), onlyGroups.removedFor(row)])).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    const equal = await find(texts, { removeFrom: 0.8, groupFrom: 0.8 });
    expect(texts.map((_, row) => equal.removedFor(row)?.row)).toEqual([undefined, 0, 0]);
  });

  it('of a thousand equal rows leave the first, whatever the bucket', async () => {
    const texts = Array.from({ length: 1000 }, () => base);
    const found = await find([...texts, 'too short to compare', 'too short to compare']);
    expect(texts.filter((_, row) => found.removedFor(row)?.row === 0).length).toBe(999);
    expect([found.groupOf(1000), found.groupOf(1001), found.removedFor(1001)]).toEqual([1000, 1001, null]);
  });

  it('are none of none', async () => {
    await expect(find([])).resolves.toBeDefined();
  });
});
