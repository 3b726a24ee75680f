/** The ledger over an object store in memory and a real disk: what is first, what is found, what fails loudly. */
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SecpiError } from '../../src/contract/errors.ts';
import { listSpaces, openLedger, type Ledger, type SpaceIdentity } from '../../src/services/llm/ledger.ts';
import { encodeAnswer } from '../../src/services/llm/ledger/answer.ts';
import { sha256Hex } from '../../src/services/store/hash.ts';
import { answerOf as answer } from './ledgerSamples.ts';
import { memoryObjects, type MemoryObjects } from './memoryObjects.ts';

const SPACE = 'a'.repeat(64);
let localDir: string;
let objects: MemoryObjects;
const opened: Ledger[] = [];

beforeEach(async () => {
  localDir = await mkdtemp(join(tmpdir(), 'secpi-ledger-'));
  objects = memoryObjects();
});
afterEach(async () => {
  objects.failure = null;
  await Promise.allSettled(opened.splice(0).map((ledger) => ledger.close()));
  await rm(localDir, { recursive: true, force: true });
});

async function open(
  options: {
    localDir?: string;
    maxSegmentRows?: number;
    onFlushError?: (error: unknown) => void;
    flushEveryMs?: number;
    identity?: SpaceIdentity;
    maxUnpublishedBytes?: number;
  } = {},
) {
  const ledger = await openLedger({ objects, space: SPACE, localDir, flushEveryMs: 3_600_000, ...options });
  opened.push(ledger);
  return ledger;
}

const files = async (): Promise<string[]> => (await readdir(join(localDir, SPACE))).sort();
const segmentKeys = (): string[] => [...objects.objects.keys()].filter((key) => key.endsWith('.zst'));

describe('answers', () => {
  test('are found at once, after a flush, and by another host that only has S3', async () => {
    const ledger = await open();
    const one = await ledger.append(answer('one', 'ü \u2028 \n text'));
    expect(await ledger.get(one.key)).toEqual(one);
    expect(objects.objects.size).toBe(0);
    await ledger.flush();
    expect(await ledger.get(one.key)).toEqual(one);
    expect(await files()).toEqual([]);
    const elsewhere = await open({ localDir: join(localDir, 'elsewhere') });
    expect(await elsewhere.get(one.key)).toEqual(one);
    expect(await elsewhere.get(sha256Hex('two'))).toBeNull();
    expect(elsewhere.counts()).toMatchObject({ answers: 1, segments: 1, unpublished: 0, duplicates: 0 });
  });

  test('are on disk when append resolves', async () => {
    const ledger = await open();
    await Promise.all(Array.from({ length: 200 }, (_, at) => ledger.append(answer(`row ${at}`))));
    const [journal = ''] = await files();
    const { wholeLines } = await import('../../src/services/llm/ledger/journal.ts');
    const content = await readFile(join(localDir, SPACE, journal));
    expect([wholeLines(content).length, content.at(-1)]).toEqual([200, 10]);
  });

  test('are read by range: opening reads indexes only, an answer one frame, answers in a row ever longer ranges', async () => {
    const ledger = await open();
    const rows = 600;
    const text = (at: number): string => randomBytes(700).toString('hex') + String(at);
    await Promise.all(Array.from({ length: rows }, (_, at) => ledger.append(answer(`row ${at}`, text(at)))));
    await ledger.flush();
    const [segment = ''] = segmentKeys();
    const segmentBytes = objects.objects.get(segment)?.length ?? 0;
    expect(segmentBytes).toBeGreaterThan(400_000);
    objects.gets = [];
    const again = await open({ localDir: join(localDir, 'elsewhere') });
    expect(objects.gets.every((key) => key.endsWith('.idx'))).toBe(true);
    const atOpen = again.counts().bytesRead;
    expect(atOpen).toBeLessThan(rows * 28 + 1_000);
    expect(await again.get(sha256Hex('row 300'))).not.toBeNull();
    expect(again.counts().bytesRead - atOpen).toBeLessThan(segmentBytes / 5);
    objects.gets = [];
    for (let at = 0; at < rows; at += 1)
      expect((await again.get(sha256Hex(`row ${at}`)))?.rowId).toBe(`row ${at}`);
    // Frame 0, then 1 and 2, then 3 (4 was read already), then the rest.
    expect(objects.gets).toHaveLength(4);
    expect(again.counts().bytesRead - atOpen).toBeLessThan(segmentBytes * 1.3);
  });

  test('`has` knows without reading', async () => {
    const ledger = await open();
    expect(ledger.has(sha256Hex('one'))).toBe(false);
    await ledger.append(answer('one'));
    expect(ledger.has(sha256Hex('one'))).toBe(true);
    await ledger.flush();
    const elsewhere = await open({ localDir: join(localDir, 'elsewhere') });
    objects.gets = [];
    expect([elsewhere.has(sha256Hex('one')), elsewhere.has(sha256Hex('two'))]).toEqual([true, false]);
    expect(objects.gets).toEqual([]);
  });

  test('of lines written before a field was added stay readable', async () => {
    const { usageKnown: _, ...older } = answer('one');
    await deadJournal(`${JSON.stringify(older)}\n`);
    const ledger = await open();
    expect(await ledger.get(older.key)).toEqual(answer('one'));
  });

  test('of other writers appear after refresh', async () => {
    const reader = await open({ localDir: join(localDir, 'reader') });
    const writer = await open();
    const one = await writer.append(answer('one'));
    await writer.flush();
    expect(await reader.get(one.key)).toBeNull();
    await reader.refresh();
    expect(await reader.get(one.key)).toEqual(one);
  });
});

describe('the first answer of a key wins', () => {
  test('within a ledger, at the same moment and later', async () => {
    const ledger = await open();
    const [first, second] = await Promise.all([
      ledger.append(answer('one', 'first')),
      ledger.append(answer('one', 'second')),
    ]);
    expect([first.text, second.text]).toEqual(['first', 'first']);
    await ledger.flush();
    expect((await ledger.append(answer('one', 'third'))).text).toBe('first');
    expect(ledger.counts()).toMatchObject({ answers: 1, appended: 1 });
  });

  test('between writers, for every reader, whoever flushed first', async () => {
    const early = await open();
    await early.append(answer('one', 'early'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const late = await open({ localDir: join(localDir, 'late') });
    await late.append(answer('one', 'late'));
    await late.flush();
    await early.flush();
    const reader = await open({ localDir: join(localDir, 'reader') });
    for (const ledger of [reader, early, late]) {
      await ledger.refresh();
      expect((await ledger.get(sha256Hex('one')))?.text).toBe('early');
    }
    expect(reader.counts()).toMatchObject({ answers: 1, duplicates: 1 });
  });
});

/** A process that is long gone, on this machine. */
async function deadJournal(lines: string): Promise<string> {
  const { thisProcess, formatOwner } = await import('../../src/services/processOwner.ts');
  const owner = formatOwner({ ...thisProcess(), pid: 4_000_000 });
  return journalOf(owner, lines);
}

/** A process on this machine that lives as long as the tests: the one that started them. */
let aliveOwner = '';
beforeAll(async () => {
  const { thisProcess, formatOwner } = await import('../../src/services/processOwner.ts');
  const stat = await readFile(`/proc/${process.ppid}/stat`, 'utf8');
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  aliveOwner = formatOwner({ ...thisProcess(), pid: process.ppid, startTicks });
});

async function journalOf(owner: string, lines: string): Promise<string> {
  const path = join(localDir, SPACE, `20000101T000000000Z-0123456789ab-000001@${owner}.jsonl`);
  await mkdir(join(localDir, SPACE), { recursive: true });
  await writeFile(path, lines);
  return path;
}

describe('recovery', () => {
  test('publishes what a dead process left, without its torn last line', async () => {
    await deadJournal(
      encodeAnswer(answer('one')) + encodeAnswer(answer('two')) + encodeAnswer(answer('three')).slice(0, -9),
    );
    const ledger = await open();
    expect(ledger.counts().recovered).toEqual({ journals: 1, rows: 2, tornLines: 1, corruptLines: 0 });
    expect(await ledger.get(sha256Hex('two'))).toEqual(answer('two'));
    expect(await ledger.get(sha256Hex('three'))).toBeNull();
    expect([await files(), segmentKeys().length]).toEqual([[], 1]);
  });

  test('a crash after publishing and before the journal is dropped doubles nothing', async () => {
    await deadJournal(encodeAnswer(answer('one')));
    await open();
    await deadJournal(encodeAnswer(answer('one')));
    const again = await open();
    expect(again.counts()).toMatchObject({ answers: 1, segments: 1, duplicates: 0 });
  });

  test('two that recover at once double nothing', async () => {
    await deadJournal(encodeAnswer(answer('one')));
    const both = await Promise.all([open(), open()]);
    for (const ledger of both) expect((await ledger.get(sha256Hex('one')))?.text).toBe('text of one');
    expect(segmentKeys()).toHaveLength(1);
  });

  test('keeps a file with lines that are no answers, and counts them', async () => {
    await deadJournal(`${encodeAnswer(answer('one'))}\0\0\0\0\n${encodeAnswer(answer('two'))}`);
    const ledger = await open();
    expect(ledger.counts().recovered).toMatchObject({ rows: 2, corruptLines: 1 });
    expect(await files()).toEqual([expect.stringMatching(/\.corrupt$/)]);
  });

  test('leaves the journal of a writer that cannot be seen alone until it has been silent for a minute', async () => {
    const path = await journalOf('000000000000-17-1', encodeAnswer(answer('one')));
    expect((await open()).counts().recovered.journals).toBe(0);
    const past = new Date(Date.now() - 61_000);
    await utimes(path, past, past);
    expect((await open()).counts().recovered).toMatchObject({ journals: 1, rows: 1 });
  });

  test('takes over what an earlier ledger of this process could not publish at its end', async () => {
    const first = await open();
    await first.append(answer('one'));
    objects.failure = new Error('the store is away');
    await expect(first.close()).rejects.toThrow('the store is away');
    objects.failure = null;
    const second = await open();
    expect(await second.get(sha256Hex('one'))).toEqual(answer('one'));
  });
});

describe('journals of processes that live', () => {
  test('are read as they grow, whole lines only, and left alone', async () => {
    const half = encodeAnswer(answer('two'));
    const path = await journalOf(aliveOwner, encodeAnswer(answer('one')) + half.slice(0, 50));
    const ledger = await open();
    expect(await ledger.get(sha256Hex('one'))).toEqual(answer('one'));
    expect([ledger.has(sha256Hex('one')), ledger.has(sha256Hex('two'))]).toEqual([true, false]);
    await appendFile(path, half.slice(50) + encodeAnswer(answer('three')));
    expect(ledger.has(sha256Hex('two'))).toBe(false);
    await ledger.refresh();
    expect(await ledger.get(sha256Hex('two'))).toEqual(answer('two'));
    expect(await ledger.get(sha256Hex('three'))).toEqual(answer('three'));
    expect((await ledger.append(answer('three', 'paid again'))).text).toBe('text of three');
    expect(ledger.counts()).toMatchObject({ answers: 3, appended: 0, unpublished: 0, segments: 0 });
    expect(await files()).toHaveLength(1);
  });

  test('are found in their segment once their owner published them', async () => {
    const writer = await open();
    const reader = await open();
    await writer.append(answer('one'));
    await reader.refresh();
    expect(reader.counts()).toMatchObject({ answers: 1, segments: 0 });
    await writer.flush();
    expect(await reader.get(sha256Hex('one'))).toEqual(answer('one'));
    expect(reader.counts()).toMatchObject({ answers: 1, segments: 1, recovered: { journals: 0 } });
  });

  test('their answer counts before a later segment, where they can be seen', async () => {
    await journalOf(aliveOwner, encodeAnswer(answer('one', 'first')));
    const later = await open();
    expect((await later.append(answer('one', 'paid again'))).text).toBe('first');
    const elsewhere = await open({ localDir: join(localDir, 'elsewhere') });
    await elsewhere.append(answer('one', 'later, on another host'));
    await elsewhere.append(answer('two', 'on another host'));
    await elsewhere.flush();
    await later.refresh();
    expect((await later.get(sha256Hex('one')))?.text).toBe('first');
    const reader = await open({ localDir: join(localDir, 'reader') });
    const writer = await open({ localDir: join(localDir, 'writer') });
    await reader.refresh();
    expect((await reader.get(sha256Hex('one')))?.text).toBe('later, on another host');
    expect((await writer.append(answer('two', 'paid again'))).text).toBe('on another host');
  });

  test('of one that died meanwhile are published by the next refresh', async () => {
    const ledger = await open();
    await deadJournal(encodeAnswer(answer('one')));
    await ledger.refresh();
    expect(await ledger.get(sha256Hex('one'))).toEqual(answer('one'));
    expect(ledger.counts()).toMatchObject({ answers: 1, segments: 1, recovered: { journals: 1, rows: 1 } });
    expect(await files()).toEqual([]);
  });

  test('are known even while the store is away', async () => {
    const ledger = await open();
    await deadJournal(encodeAnswer(answer('one')));
    objects.failure = new Error('the store is away');
    await expect(ledger.refresh()).rejects.toThrow('the store is away');
    expect(await ledger.get(sha256Hex('one'))).toEqual(answer('one'));
  });
});

describe('spaces', () => {
  const identity = {
    model: 'm',
    revision: '1',
    promptVersion: 'filter-2',
    sampling: { temperature: 0, topP: 1, maxTokens: 100, seed: 0 },
  };

  test('say what they were paid for', async () => {
    expect(await listSpaces(objects)).toEqual([]);
    await open({ identity });
    await open({ identity, localDir: join(localDir, 'again') });
    expect(await listSpaces(objects)).toEqual([{ space: SPACE, identity }]);
  });

  test('do not take another identity', async () => {
    await open({ identity });
    await expect(open({ identity: { ...identity, promptVersion: 'filter-3' } })).rejects.toMatchObject({
      code: 'BLOB_CORRUPT',
    });
  });
});

describe('failures', () => {
  test('a flush in the background that fails is told, and made up for', async () => {
    const told: unknown[] = [];
    const ledger = await open({ flushEveryMs: 20, onFlushError: (error) => told.push(error) });
    objects.failure = new Error('the store is away');
    await ledger.append(answer('one'));
    await expect.poll(() => told.length).toBeGreaterThan(1);
    expect(ledger.counts().unpublished).toBe(1);
    expect(await ledger.get(sha256Hex('one'))).toEqual(answer('one'));
    objects.failure = null;
    await expect.poll(() => ledger.counts().unpublished).toBe(0);
    expect(segmentKeys()).toHaveLength(1);
  });

  test('appending waits for a store that is away once much is unpublished, and goes on when it is back', async () => {
    const told: unknown[] = [];
    const ledger = await open({ maxUnpublishedBytes: 2_000, onFlushError: (error) => told.push(error) });
    objects.failure = new SecpiError('STORE_UNAVAILABLE', 'The store is away.');
    await ledger.append(answer('one'));
    let appended = false;
    const waiting = ledger.append(answer('two', 'x'.repeat(2_000))).then(() => (appended = true));
    await expect.poll(() => told.length).toBeGreaterThan(1);
    expect([appended, ledger.counts().unpublished]).toEqual([false, 2]);
    expect((await ledger.get(sha256Hex('two')))?.rowId).toBe('two');
    objects.failure = null;
    await waiting;
    expect(ledger.counts()).toMatchObject({ unpublished: 0, segments: 1 });
    objects.failure = new SecpiError('STORE_ACCESS_DENIED', 'No.');
    await expect(ledger.append(answer('three', 'x'.repeat(2_000)))).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
    });
  });

  test.each(['.jsonl.zst', '.idx'])('a corrupt %s is BLOB_CORRUPT, not silence', async (suffix) => {
    const ledger = await open();
    await ledger.append(answer('one'));
    await ledger.flush();
    for (const [key, bytes] of objects.objects) {
      if (key.endsWith(suffix)) bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    }
    const read = async (): Promise<unknown> =>
      (await open({ localDir: join(localDir, 'elsewhere') })).get(sha256Hex('one'));
    await expect(read()).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
  });

  test('a segment that is gone is BLOB_MISSING', async () => {
    const ledger = await open();
    await ledger.append(answer('one'));
    await ledger.flush();
    const reader = await open({ localDir: join(localDir, 'elsewhere') });
    for (const key of segmentKeys()) objects.objects.delete(key);
    await expect(reader.get(sha256Hex('one'))).rejects.toMatchObject({ code: 'BLOB_MISSING' });
  });

  test('a folder that cannot be written is RESOURCES_INSUFFICIENT', async () => {
    const file = join(localDir, 'file');
    await appendFile(file, '');
    await expect(
      open({ localDir: file }).then((ledger) => ledger.append(answer('one'))),
    ).rejects.toMatchObject({
      code: 'RESOURCES_INSUFFICIENT',
    });
  });
});
