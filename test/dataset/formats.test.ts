/** One dataset in every format, from a disk and from a real S3 server, comes out as the same rows. */
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { jsonLines, makeWorkplace, parquet, sampleRows, type Workplace } from './samples.ts';

const rows = sampleRows(500);
const [firstHalf, secondHalf] = [rows.slice(0, 250), rows.slice(250)];
const lines = Buffer.from(jsonLines(rows));

const folders: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>> = {
  'JSON Lines': { 'rows.jsonl': lines },
  gzip: { 'rows.jsonl.gz': gzipSync(lines) },
  'zstd in two frames': {
    'rows.jsonl.zst': Buffer.concat([
      zstdCompressSync(jsonLines(firstHalf)),
      zstdCompressSync(jsonLines(secondHalf)),
    ]),
  },
  'gzip in two members': {
    'rows.jsonl.gz': Buffer.concat([gzipSync(jsonLines(firstHalf)), gzipSync(jsonLines(secondHalf))]),
  },
  'a JSON array': { 'rows.json': JSON.stringify(rows, null, 2) },
  Parquet: { 'rows.parquet': parquet(rows) },
  'Parquet of many groups and pages': {
    'rows.parquet': parquet(rows, { rowGroupSize: 90, pageSize: 1000, codec: 'GZIP' }),
  },
  'Parquet with zstd': { 'rows.parquet': parquet(rows, { codec: 'ZSTD', rowGroupSize: 90 }) },
  'a folder of Parquet in data/': {
    'data/b-00001.parquet': parquet(secondHalf),
    'data/a-00000.parquet': parquet(firstHalf),
    'other/c.parquet': parquet(firstHalf),
    'dataset_info.json': '{}',
  },
  'a folder of JSON Lines': {
    '1.jsonl': jsonLines(firstHalf),
    '2.jsonl.gz': gzipSync(jsonLines(secondHalf)),
  },
  'a folder whose card gives the train split': {
    'README.md':
      '---\nlicense: cc-by-4.0\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: parts/train-*\n  - split: test\n    path: parts/test-*\n---\n# Card\n',
    'parts/train-0.parquet': parquet(firstHalf),
    'parts/train-1.parquet': parquet(secondHalf),
    'parts/test-0.parquet': parquet(firstHalf),
  },
};

let server: TestServer;
let store: Store;
let workplace: Workplace;
beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  workplace = await makeWorkplace();
});
afterAll(async () => {
  await workplace.remove();
  await server.stop();
});

describe.each(Object.entries(folders))('%s', (name, files) => {
  const paths = Object.keys(files);
  const isFolder = paths.length > 1;
  const place = name.replaceAll(/\W+/gu, '-');
  const license = name.includes('card') ? 'cc-by-4.0' : null;

  it.each(['disk', 'S3'])('is read from %s', async (from) => {
    await workplace.write(Object.fromEntries(paths.map((path) => [join(place, path), files[path] ?? ''])));
    if (from === 'S3') {
      for (const path of paths)
        await store.objects.putFile(`${place}/${path}`, join(workplace.dir, place, path));
    }
    const root = from === 'S3' ? store.objects.uriOf(place) : place;
    const uri = isFolder ? `${root}/` : `${root}/${paths[0]}`;
    const { tasks, counts, bad, source } = await workplace.import({ uri }, store.objects);
    expect(bad).toEqual([]);
    expect(counts).toMatchObject({ in: 500, rows: 500 });
    expect(tasks.map(({ index, id, task, tests, group }) => ({ index, id, task, tests, group }))).toEqual(
      rows.map((row, index) => ({
        index,
        id: row.question_id,
        task: row.question,
        tests: row.test,
        group: index,
      })),
    );
    expect(source.license).toBe(license);
  });
});

it('a folder without a slash at its end is found too, on disk and in S3', async () => {
  await workplace.write({ 'plain/rows.jsonl': lines });
  await store.objects.putFile('plain/rows.jsonl', join(workplace.dir, 'plain/rows.jsonl'));
  for (const uri of ['plain', store.objects.uriOf('plain')])
    expect((await workplace.import({ uri }, store.objects)).counts.rows).toBe(500);
});

it('the hash of a source covers names and contents, in order', async () => {
  const { hashSource, openSource } = await import('../../src/services/dataset/source.ts');
  await workplace.write({
    'h1/a.jsonl': jsonLines(firstHalf),
    'h1/b.jsonl': jsonLines(secondHalf),
    'h2/a.jsonl': jsonLines(firstHalf),
    'h2/c.jsonl': jsonLines(secondHalf),
    'h3/a.jsonl': jsonLines(secondHalf),
    'h3/b.jsonl': jsonLines(firstHalf),
    'h4/a.jsonl': jsonLines(firstHalf),
    'h4/b.jsonl': jsonLines(secondHalf),
  });
  const hashes = await Promise.all(
    ['h1', 'h2', 'h3', 'h4'].map(
      async (uri) => await hashSource(await openSource({ uri }, store.objects, workplace.dir)),
    ),
  );
  expect(new Set(hashes).size).toBe(3);
  expect(hashes[3]).toBe(hashes[0]);
});

it('only the columns that are needed are fetched from S3, by ranges', async () => {
  const wide = sampleRows(400).map((row) => ({ ...row, test: 'x'.repeat(20_000) + row.question_id }));
  await workplace.write({ 'wide.parquet': parquet(wide, { codec: 'UNCOMPRESSED', rowGroupSize: 100 }) });
  await store.objects.putFile('wide.parquet', join(workplace.dir, 'wide.parquet'));
  let fetched = 0;
  const counting = {
    ...store.objects,
    inBucket: () => ({
      ...store.objects,
      async getRange(key: string, start: number, bytes: number) {
        fetched += bytes;
        return await store.objects.getRange(key, start, bytes);
      },
      openStream: () => Promise.reject(new Error('the whole object was read')),
    }),
  };
  const { tasks } = await workplace.import(
    { uri: store.objects.uriOf('wide.parquet'), fields: { tests: 'question' } },
    counting,
  );
  expect(tasks.length).toBe(400);
  expect(fetched).toBeLessThan(1_500_000);
});
