/** Merging of small segments over a real S3 server: beside readers and writers, and killed at each of its steps. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openLedger, type AnswerObjects, type Ledger } from '../../src/services/llm/ledger.ts';
import { sha256Hex } from '../../src/services/store/hash.ts';
import { answersPrefix } from '../../src/services/store/keys.ts';
import type { ObjectStore } from '../../src/services/store/objectStore.ts';
import { startServer, type TestServer } from '../store/server.ts';
import type { CompactorSettings } from './ledgerCompactor.ts';
import { answerOf } from './ledgerSamples.ts';

const NEVER_MS = 3_600_000;
/** Five segments of three rows each; the first row of each but the first repeats the last of the one before. */
const SEGMENTS = 5;
const ROWS = 11;
const DUPLICATES = 4;
/** Rows from which a segment is not merged any more. */
const BIG_ROWS = 18;

let s3: TestServer;
let localDir: string;
let objects: ObjectStore;
const opened: Ledger[] = [];
beforeAll(async () => {
  s3 = await startServer();
});
afterAll(() => s3.stop());
beforeEach(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'secpi-ledger-'));
  ({ objects } = await s3.openStore());
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((ledger) => ledger.close()));
  objects.close();
  await rm(localDir, { recursive: true, force: true });
});

async function open(space: string, host: string, over: AnswerObjects = objects): Promise<Ledger> {
  const ledger = await openLedger({
    objects: over,
    space,
    localDir: join(localDir, host),
    flushEveryMs: NEVER_MS,
    maxSegmentRows: BIG_ROWS,
  });
  opened.push(ledger);
  return ledger;
}

/** By writers that know nothing of each other, the last to begin being the first to publish. */
async function seed(space: string): Promise<void> {
  const writers = [];
  for (let at = 0; at < SEGMENTS; at += 1) {
    const writer = await open(space, `writer ${at}`);
    for (const row of [2 * at, 2 * at + 1, 2 * at + 2])
      await writer.append(answerOf(`row ${row}`, `row ${row} by writer ${at}`));
    writers.push(writer);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  for (const writer of writers.reverse()) await writer.close();
}

const expected = Array.from({ length: ROWS }, (_, row) => {
  const first = Math.max(0, Math.ceil(row / 2) - 1);
  return `row ${row} by writer ${first}`;
});

async function textsOf(ledger: Ledger): Promise<(string | undefined)[]> {
  const rows = Array.from({ length: ROWS }, (_, row) => sha256Hex(`row ${row}`));
  return await Promise.all(rows.map(async (key) => (await ledger.get(key))?.text));
}

async function names(space: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects.list(answersPrefix(space))) keys.push(key);
  return keys.map((key) => key.slice(answersPrefix(space).length));
}

async function expectWhole(ledger: Ledger): Promise<void> {
  expect(await textsOf(ledger)).toEqual(expected);
  expect(ledger.counts()).toMatchObject({ answers: ROWS, duplicates: DUPLICATES });
}

describe('compaction', () => {
  test('leaves one segment, the first answer of every key and the count of duplicates', async () => {
    await seed('a');
    const before = await open('a', 'before');
    await expectWhole(before);
    const ledger = await open('a', 'compactor');
    expect(await ledger.compact()).toEqual({ merged: SEGMENTS, into: 1 });
    expect(await names('a')).toEqual([
      expect.stringMatching(/^merged-000001-[0-9a-f]{12}\.idx$/),
      expect.stringMatching(/^merged-000001-[0-9a-f]{12}\.jsonl\.zst$/),
    ]);
    await expectWhole(ledger);
    await expectWhole(await open('a', 'after'));
    expect(await ledger.compact()).toEqual({ merged: 0, into: 0 });
  });

  test('a reader that knows only what is gone follows it into the merged segment', async () => {
    await seed('a');
    const reader = await open('a', 'reader');
    await (await open('a', 'compactor')).compact();
    expect(reader.counts().segments).toBe(SEGMENTS);
    await expectWhole(reader);
    expect(reader.counts().segments).toBe(1);
  });

  test('a second one merges what came since, and what was merged before', async () => {
    await seed('a');
    const ledger = await open('a', 'compactor');
    await ledger.compact();
    const late = await open('a', 'late');
    await late.append(answerOf('row late'));
    expect(await late.compact()).toEqual({ merged: 2, into: 1 });
    expect((await names('a')).filter((name) => name.startsWith('merged-000002-'))).toHaveLength(2);
    for (const reader of [ledger, late, await open('a', 'after')]) {
      await reader.refresh();
      expect(await textsOf(reader)).toEqual(expected);
      expect((await reader.get(sha256Hex('row late')))?.text).toBe('text of row late');
      expect(reader.counts()).toMatchObject({ answers: ROWS + 1, segments: 1, duplicates: DUPLICATES });
    }
  });

  test('big segments are left alone', async () => {
    const writer = await open('a', 'writer');
    for (let row = 0; row < BIG_ROWS; row += 1) await writer.append(answerOf(`row ${row}`));
    await writer.flush();
    await writer.append(answerOf('one more'));
    const before = await names('a');
    expect(await writer.compact()).toEqual({ merged: 0, into: 0 });
    expect((await names('a')).length).toBe(before.length + 2);
  });

  test('two at once, beside a reader and a writer, lose and double nothing', async () => {
    await seed('a');
    const reader = await open('a', 'reader');
    const writer = await open('a', 'writer');
    const [one, other] = [await open('a', 'one'), await open('a', 'other')];
    const compacted = new AbortController();
    const reading = (async () => {
      while (!compacted.signal.aborted) {
        expect(await textsOf(reader)).toEqual(expected);
        expect(await textsOf(await open('a', 'reader'))).toEqual(expected);
      }
    })();
    const writing = (async () => {
      for (let row = 0; !compacted.signal.aborted; row += 1) {
        await writer.append(answerOf(`more ${row}`));
        await writer.flush();
      }
    })();
    for (let round = 0; round < 5; round += 1) await Promise.all([one.compact(), other.compact()]);
    compacted.abort();
    await Promise.all([reading, writing]);
    await one.compact();
    const after = await open('a', 'after');
    expect(await textsOf(after)).toEqual(expected);
    const written = writer.counts().appended;
    expect(written).toBeGreaterThan(5);
    expect(after.counts()).toMatchObject({ answers: ROWS + written, duplicates: DUPLICATES });
  });

  test('what does not read back is merged into nothing, and nothing is deleted', async () => {
    await seed('a');
    const before = await names('a');
    const broken: AnswerObjects = {
      get: (key) => objects.get(key),
      getRange: (key, start, bytes) => objects.getRange(key, start, bytes),
      list: (prefix) => objects.list(prefix),
      delete: (key) => objects.delete(key),
      putIfAbsent: (key, bytes) =>
        objects.putIfAbsent(key, key.includes('/merged-') ? bytes.subarray(1) : bytes),
    };
    const ledger = await open('a', 'compactor', broken);
    await expect(ledger.compact()).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    expect((await names('a')).filter((name) => !name.startsWith('merged-'))).toEqual(before);
  });

  // Index, segment, then two deletions a source.
  const steps = 2 + 2 * SEGMENTS;
  test(`killed at each of its ${steps} writes, before and after, loses and doubles nothing`, async () => {
    for (let step = 1; step <= steps; step += 1) {
      for (const moment of ['before', 'after'] as const) {
        const space = `${step} ${moment}`;
        await seed(space);
        const reader = await open(space, 'reader');
        await killCompaction(space, step, moment);
        await expectWhole(reader);
        await expectWhole(await open(space, 'fresh'));
        const ledger = await open(space, 'again');
        await ledger.compact();
        await expectWhole(ledger);
        await expectWhole(await open(space, 'after'));
        const left = await names(space);
        expect(left, `after a kill ${moment} write ${step}`).toEqual([
          expect.stringMatching(/^merged-000001-[0-9a-f]{12}\.idx$/),
          expect.stringMatching(/^merged-000001-[0-9a-f]{12}\.jsonl\.zst$/),
        ]);
        await Promise.all(opened.splice(0).map((open) => open.close()));
      }
    }
  });
});

async function killCompaction(space: string, step: number, moment: 'before' | 'after'): Promise<void> {
  const settings: CompactorSettings = {
    endpoint: s3.endpoint,
    bucket: objects.bucket,
    space,
    localDir: join(localDir, 'compactor'),
    minRows: BIG_ROWS,
    step,
    moment,
  };
  const path = fileURLToPath(new URL('ledgerCompactor.ts', import.meta.url));
  const compactor = fork(path, [JSON.stringify(settings)], { execArgv: [] });
  const [, signal] = await once(compactor, 'exit');
  expect(signal, `the write ${step} was reached`).toBe('SIGKILL');
}
