import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecpiError } from '../../contract/errors.ts';
import { datasetSchema } from '../../contract/recipe.ts';
import { createObjectStore } from '../store/objectStore.ts';
import { createHashSet } from './hashSet.ts';
import { importRows, noCounts, type ImportCounts, type ImportedRow } from './importDataset.ts';
import { normaliseRecord, normaliseText } from './normalise.ts';
import { openSource } from './source.ts';

const store = createObjectStore({
  endpoint: 'http://127.0.0.1:1',
  region: 'none',
  bucket: 'nowhere',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});
let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'secpi-dataset-'));
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

async function importFile(
  name: string,
  content: string | Buffer,
  settings: Record<string, unknown> = {},
): Promise<{ rows: ImportedRow[]; counts: ImportCounts }> {
  await writeFile(join(dir, name), content);
  const dataset = datasetSchema.parse({ uri: name, ...settings });
  const counts = noCounts();
  const source = await openSource(dataset, store, dir);
  const rows = await Array.fromAsync(
    importRows(source, dataset, counts, { scratchDir: join(dir, 'scratch') }),
  );
  const { rows: kept, duplicates, nearDuplicates, contaminated, bad } = counts;
  expect(counts.in).toBe(kept + duplicates + nearDuplicates + contaminated + bad);
  return { rows, counts };
}

async function refusal(work: Promise<unknown>): Promise<SecpiError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SecpiError) return error;
  throw new Error('was not refused with an error of the catalogue', { cause: error });
}

describe('normaliseRecord', () => {
  const settings = datasetSchema.parse({ uri: 'x.jsonl' });
  it.each([
    [{ instruction: 'Sort a list' }, 'Sort a list'],
    [{ instruction: 'Sort it', input: '[3, 1]' }, 'Sort it\n\n[3, 1]'],
    [{ instruction: 'Sort it', input: '' }, 'Sort it'],
    [{ prompt: 'Do this', output: 'x' }, 'Do this'],
    [{ question: 'Why?' }, 'Why?'],
    [
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'Hello' },
        ],
      },
      'Hello',
    ],
    [{ conversations: [{ from: 'human', value: 'Hi' }] }, 'Hi'],
  ])('finds the task in %j', (record, task) => {
    const normalised = normaliseRecord(record, settings);
    expect(normalised.kind === 'task' && normalised.row.task).toBe(task);
  });

  it.each([[null], ['text'], [[]], [{}], [{ instruction: '   ' }], [{ messages: [] }]])(
    'calls %j bad',
    (record) => {
      expect(normaliseRecord(record, settings).kind).toBe('bad');
    },
  );

  it('takes the fields that the recipe names', () => {
    const named = datasetSchema.parse({
      uri: 'x.jsonl',
      fields: { task: 'goal', id: 'key', language: 'tongue' },
    });
    const normalised = normaliseRecord({ goal: 'G', key: 7, tongue: 'Python', instruction: 'no' }, named);
    expect(normalised).toMatchObject({ kind: 'task', row: { task: 'G', id: '7', language: 'python' } });
  });

  it.each<[Record<string, string>, Record<string, unknown>, string | null]>([
    [{ task: 'problem.statement' }, { problem: { statement: 'S' } }, 'S'],
    [{ task: 'a.b' }, { 'a.b': 'whole name', a: { b: 'path' } }, 'whole name'],
    [{ task: 'turns.1.text' }, { turns: [{ text: 'no' }, { text: 'T' }] }, 'T'],
    [{ task: 'problem.statement' }, { problem: 'no map', instruction: 'not asked for' }, null],
    [{ task: 'constructor.name' }, { x: 1 }, null],
  ])('follows the path of %j in %j', (fields, record, task) => {
    const named = datasetSchema.parse({ uri: 'x.jsonl', fields });
    const normalised = normaliseRecord(record, named);
    expect(normalised.kind === 'task' ? normalised.row.task : null).toBe(task);
  });

  it.each<[Record<string, unknown>, string | null]>([
    [{ test: 'def test(): pass' }, 'def test(): pass'],
    [{ tests: ['assert a', 'assert b'] }, 'assert a\nassert b'],
    [{ test_code: 'x', unit_tests: 'y' }, 'x'],
    [{ test: true, tests: [] }, null],
    [{ test: '  ' }, null],
  ])('finds the tests of a row in %j', (record, tests) => {
    const normalised = normaliseRecord({ instruction: 'T', ...record }, settings);
    expect(normalised.kind === 'task' ? normalised.row.tests : '').toBe(tests);
  });

  it('takes 64-bit ids and texts with half a surrogate pair', () => {
    const normalised = normaliseRecord({ id: 2n ** 60n, prompt: 'a\ud800b' }, settings);
    expect(normalised).toMatchObject({ kind: 'task', row: { id: '1152921504606846976', task: 'a\ufffdb' } });
    expect(normaliseRecord({ n: 5n, long: 'x'.repeat(9999) }, settings)).toMatchObject({
      kind: 'bad',
      excerpt: expect.stringMatching(/^\{"n":"5","long":"x{480,}$/u),
    });
  });

  it('hashes equal tasks alike whatever their case and blanks', () => {
    const hash = (text: string): string => {
      const normalised = normaliseRecord({ instruction: text }, settings);
      return normalised.kind === 'task' ? normalised.row.taskSha256 : '';
    };
    expect(hash('Write  a\r\nfunction ')).toBe(hash('write a function'));
    expect(hash('write a function')).not.toBe(hash('write a functional'));
  });

  it('keeps indentation and drops trailing blanks', () => {
    expect(normaliseText('\r\na  \r\n  b\t\r\n\r\n')).toBe('a\n  b');
  });
});

describe('the set of hashes', () => {
  it('holds what a set of texts holds, over many growths', () => {
    const compact = createHashSet();
    const plain = new Set<string>();
    for (let number = 0; number < 60_000; number += 1) {
      const hex = hash('sha256', String((number * 7) % 40_009));
      expect(compact.add(hex)).toBe(!plain.has(hex));
      plain.add(hex);
    }
    expect(compact.size).toBe(plain.size);
  });

  it('holds zero, and halves that are zero', () => {
    const compact = createHashSet();
    const hashes = ['0'.repeat(16), `${'0'.repeat(8)}00000040`, `00000040${'0'.repeat(8)}`];
    expect([...hashes, ...hashes].map((hex) => compact.add(hex))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('importRows', () => {
  it('reads JSON Lines, counts duplicates and bad rows, and goes on', async () => {
    const lines = [
      '{"instruction":"one"}',
      '',
      'not json',
      '{"instruction":"ONE "}',
      '{"output":"no task"}',
      '{"instruction":"two","id":"t"}',
      '{"instruction":"three","id":"t"}',
    ];
    const { rows, counts } = await importFile('a.jsonl', lines.join('\n'));
    expect(counts).toEqual({ ...noCounts(), in: 6, rows: 3, duplicates: 1, bad: 2 });
    const tasks = rows.flatMap((row) => (row.kind === 'task' ? [row.row] : []));
    expect(tasks.map(({ index, task }) => [index, task])).toEqual([
      [0, 'one'],
      [1, 'two'],
      [2, 'three'],
    ]);
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(3);
  });

  it('reads a JSON array and stops at limitRows', async () => {
    const { counts } = await importFile(
      'b.json',
      JSON.stringify([{ prompt: 'a' }, { prompt: 'b' }, { prompt: 'c' }]),
      { limitRows: 2 },
    );
    expect(counts).toEqual({ ...noCounts(), in: 2, rows: 2 });
  });

  it('sets aside invalid UTF-8 and over-long tasks with their reason', async () => {
    const bad = Buffer.concat([
      Buffer.from('{"instruction":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}\n'),
    ]);
    const long = Buffer.from(`${JSON.stringify({ instruction: 'x'.repeat(200) })}\n`);
    const { rows, counts } = await importFile(
      'c.jsonl',
      Buffer.concat([Buffer.from('{"instruction":"ok"}\n'), bad, long]),
      { maxTaskCharacters: 100 },
    );
    expect(counts.bad).toBe(2);
    expect(rows.flatMap((row) => (row.kind === 'bad' ? [row.row.reason] : []))).toEqual([
      'the line is not UTF-8',
      expect.stringContaining('200 characters'),
    ]);
  });

  it.each([
    ['empty.jsonl', '', 'DATASET_EMPTY'],
    ['binary.jsonl', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 10]), 'DATASET_UNREADABLE'],
    ['object.json', '{"a":1}', 'DATASET_UNREADABLE'],
    ['broken.json', '[{"a":1}', 'DATASET_UNREADABLE'],
    ['data.csv', 'a,b', 'DATASET_UNREADABLE'],
  ])('refuses %s', async (name, content, code) => {
    const error = await refusal(importFile(name, content));
    expect(error.code).toBe(code);
    expect(error.field).toMatch(/^dataset\./);
  });

  it('refuses a file that is not there, naming the path', async () => {
    const error = await refusal(openSource(datasetSchema.parse({ uri: 'missing.jsonl' }), store, dir));
    expect(error.code).toBe('DATASET_NOT_FOUND');
    expect(error.message).toContain(join(dir, 'missing.jsonl'));
  });
});
