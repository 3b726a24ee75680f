/** Input as it comes: torn, cut, binary, mixed. Rows that can be read are, and the rest is named. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectStore } from '../../src/services/store/objectStore.ts';
import { jsonLines, makeWorkplace, parquet, refusal, sampleRows, type Workplace } from './samples.ts';

const store = createObjectStore({ endpoint: 'http://127.0.0.1:1', region: 'none', bucket: 'nowhere' });
const rows = sampleRows(50);
let workplace: Workplace;
beforeAll(async () => {
  workplace = await makeWorkplace();
});
afterAll(async () => await workplace.remove());

async function imported(name: string, content: string | Uint8Array) {
  await workplace.write({ [name]: content });
  return await workplace.import({ uri: name }, store);
}

describe('rows that cannot be read are set aside, and the import goes on', () => {
  it('a torn last line', async () => {
    const whole = jsonLines(rows);
    const { counts, bad } = await imported('torn.jsonl', whole.slice(0, -30));
    expect(counts).toMatchObject({ in: 50, rows: 49, bad: 1 });
    expect(bad[0]).toMatchObject({ index: 49, reason: 'the line is not JSON: the last one, torn' });
  });

  it('a last line torn within a character', async () => {
    const bytes = Buffer.from(`${jsonLines(rows)}{"question":"é`);
    const { counts, bad } = await imported('torn-utf8.jsonl', bytes.subarray(0, -1));
    expect(counts).toMatchObject({ rows: 50, bad: 1 });
    expect(bad[0]?.reason).toBe('the line is not UTF-8: the last one, torn');
  });

  it('invalid UTF-8 in the middle', async () => {
    const bytes = Buffer.concat([
      Buffer.from(jsonLines(rows.slice(0, 1))),
      Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d, 0x0a]),
      Buffer.from(jsonLines(rows.slice(1))),
    ]);
    const { counts, bad } = await imported('utf8.jsonl', bytes);
    expect(counts).toMatchObject({ in: 51, rows: 50, bad: 1 });
    expect(bad[0]).toMatchObject({ index: 1, reason: 'the line is not UTF-8' });
  });

  const hugeRows = (question: string): string => jsonLines([...rows, { question }, { question: 'the last' }]);

  it('a row of 10 MB', async () => {
    const { counts, bad } = await imported('huge.jsonl', hugeRows('x'.repeat(10_000_000)));
    expect(counts).toMatchObject({ in: 52, rows: 51, bad: 1 });
    expect(bad[0]?.reason).toContain('10000000 characters');
    expect(bad[0]?.excerpt.length).toBe(500);
  });

  it.each([' ', ' \n', '\t \u2028'])('10 MB of %j before a letter are trimmed in no time', async (blank) => {
    const started = performance.now();
    const { counts, tasks } = await imported(
      'blank.jsonl',
      hugeRows(`${blank.repeat(10_000_000 / blank.length)}x`),
    );
    expect(counts).toMatchObject({ in: 52, rows: 52 });
    expect(tasks[50]?.task).toBe('x');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('duplicate ids: every row keeps an id of its own', async () => {
    const { tasks } = await imported(
      'ids.jsonl',
      jsonLines([
        { id: 'a', question: 'first' },
        { id: 'a', question: 'second' },
        { id: 'a', question: 'first' },
        { id: 7, question: 'third' },
        { id: '7', question: 'fourth' },
      ]),
    );
    expect(tasks.map(({ id, task }) => [id.replace(/#[0-9a-f]{8}$/u, '#'), task])).toEqual([
      ['a', 'first'],
      ['a#', 'second'],
      ['7', 'third'],
      ['7#', 'fourth'],
    ]);
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(4);
  });

  it('elements of a JSON array that are no rows', async () => {
    const { counts, bad } = await imported(
      'mixed.json',
      '[{"question":"a, ]"}, 5, {bad}, null, {"question":"b"}]',
    );
    expect(counts).toMatchObject({ in: 5, rows: 2, bad: 3 });
    expect(bad.map(({ reason }) => reason)).toEqual([
      'the row is not an object',
      'the element is not JSON',
      'the row is not an object',
    ]);
  });
});

describe('a source that cannot be trusted is refused', () => {
  const whole = Buffer.from(parquet(sampleRows(2000), { rowGroupSize: 500 }));
  const card = (yaml: string): string => `---\n${yaml}\n---\n`;
  it.each<[string, Record<string, string | Uint8Array>, string, string, RegExp]>([
    [
      'Parquet without its end',
      { 'cut.parquet': whole.subarray(0, -100) },
      'cut.parquet',
      'DATASET_UNREADABLE',
      /whole Parquet/,
    ],
    [
      'Parquet of a few bytes',
      { 'tiny.parquet': whole.subarray(0, 6) },
      'tiny.parquet',
      'DATASET_UNREADABLE',
      /whole Parquet/,
    ],
    [
      'Parquet with a hole',
      {
        'hole.parquet': Buffer.concat([
          whole.subarray(0, 3000),
          Buffer.alloc(20_000),
          whole.subarray(23_000),
        ]),
      },
      'hole.parquet',
      'DATASET_UNREADABLE',
      /whole Parquet/,
    ],
    [
      'gzip that is cut',
      { 'cut.jsonl.gz': gzipSync(jsonLines(rows)).subarray(0, 400) },
      'cut.jsonl.gz',
      'DATASET_UNREADABLE',
      /gzip/,
    ],
    [
      'zstd that is cut',
      { 'cut.jsonl.zst': zstdCompressSync(jsonLines(rows)).subarray(0, 400) },
      'cut.jsonl.zst',
      'DATASET_UNREADABLE',
      /zstd/,
    ],
    [
      'binary data under .jsonl',
      { 'elf.jsonl': Buffer.from('\x7fELF\0\0\0\n', 'latin1') },
      'elf.jsonl',
      'DATASET_UNREADABLE',
      /binary/,
    ],
    ['Parquet under .jsonl', { 'p.jsonl': whole }, 'p.jsonl', 'DATASET_UNREADABLE', /is a Parquet file/],
    [
      'UTF-16',
      { 'u.jsonl': Buffer.from(jsonLines(rows), 'utf16le') },
      'u.jsonl',
      'DATASET_UNREADABLE',
      /not UTF-8/,
    ],
    [
      'a JSON array that is cut',
      { 'cut.json': '[{"question":"a"},{"question":' },
      'cut.json',
      'DATASET_UNREADABLE',
      /cut/,
    ],
    [
      'JSON Lines under .json',
      { 'l.json': jsonLines(rows) },
      'l.json',
      'DATASET_UNREADABLE',
      /not one JSON array/,
    ],
    ['an empty folder', { 'empty/.hidden': '' }, 'empty', 'DATASET_EMPTY', /holds nothing/],
    [
      'a folder without data',
      { 'none/README.md': '# Hello', 'none/a.csv': 'a' },
      'none',
      'DATASET_EMPTY',
      /README.md, a.csv/,
    ],
    ['a folder of empty files', { 'zero/a.jsonl': '' }, 'zero', 'DATASET_EMPTY', /no bytes/],
    [
      'a folder of two formats',
      { 'two/a.jsonl': '{}', 'two/b.parquet': whole },
      'two',
      'DATASET_UNREADABLE',
      /several formats/,
    ],
    [
      'a card with broken YAML',
      { 'yaml/README.md': card('license: mit\n  what: [is\n this'), 'yaml/a.jsonl': '{}' },
      'yaml',
      'DATASET_UNREADABLE',
      /README.md is broken in line 3/,
    ],
    [
      'a card without an end',
      { 'open/README.md': '---\nlicense: mit\n', 'open/a.jsonl': '{}' },
      'open',
      'DATASET_UNREADABLE',
      /no closing/,
    ],
    [
      'a card that names what is not there',
      { 'gone/README.md': card('configs:\n- data_files: x-*.jsonl'), 'gone/a.jsonl': '{}' },
      'gone',
      'DATASET_UNREADABLE',
      /x-\*\.jsonl/,
    ],
    ['what is not there', {}, 'no-such-folder', 'DATASET_NOT_FOUND', /no-such-folder/],
  ])('%s', async (_, files, uri, code, message) => {
    await workplace.write(files);
    const error = await refusal(workplace.import({ uri }, store));
    expect([error.code, error.field?.startsWith('dataset.')]).toEqual([code, true]);
    expect(error.problem).toMatch(message);
  });

  it('Parquet without the column that the recipe names, telling those it has', async () => {
    await workplace.write({ 'columns.parquet': whole });
    const error = await refusal(
      workplace.import({ uri: 'columns.parquet', fields: { tests: 'tester' } }, store),
    );
    expect([error.code, error.field]).toEqual(['DATASET_UNREADABLE', 'dataset.fields.tests']);
    expect(error.problem).toContain('question_id, question, test, difficulty');
  });

  it('a folder of two formats is read when the recipe says which', async () => {
    await workplace.write({ 'said/a.jsonl': jsonLines(rows), 'said/b.parquet': whole });
    expect((await workplace.import({ uri: 'said', format: 'jsonl' }, store)).counts.rows).toBe(50);
    expect((await workplace.import({ uri: 'said', format: 'parquet' }, store)).counts.rows).toBe(2000);
  });
});
