/** The activity: what it publishes, what it takes for the same, what it refuses. Against a real S3 server. */
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importDataset } from '../../src/activities/importDataset.ts';
import type { Deps } from '../../src/activities/deps.ts';
import type { ActivityRun } from '../../src/activities/runActivity.ts';
import { uploadDataset } from '../../src/cli/uploadLocal.ts';
import type { Manifest } from '../../src/contract/manifest.ts';
import { datasetSchema } from '../../src/contract/recipe.ts';
import { deadLetterSchema, excludedRowSchema, taskRowSchema } from '../../src/contract/rows.ts';
import type { StageResult } from '../../src/contract/workflows.ts';
import { readRows, type Store } from '../../src/services/store/index.ts';
import { startServer, type TestServer } from '../store/server.ts';
import { jsonLines, makeWorkplace, parquet, refusal, sampleRows, type Workplace } from './samples.ts';

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

const notes: string[] = [];

async function importing(
  settings: { uri: string } & Record<string, unknown>,
  run: Partial<ActivityRun> = {},
): Promise<StageResult> {
  const { dir } = workplace;
  const deps: Deps = {
    store,
    paths: {
      baseDir: dir,
      cacheDir: dir,
      stateDir: dir,
      pythonPath: '',
      trainerSourceDir: '',
      suiteDir: dir,
    },
    environment: {},
  };
  const bound = {
    signal: new AbortController().signal,
    owner: { namespace: 'test', workflowId: 'import', runId: 'run', writer: '' },
    progress: (_: string, { note }: { note?: string }) => void notes.push(note ?? ''),
    ...run,
  } as ActivityRun;
  const dataset = datasetSchema.parse({ decontaminate: [], ...settings });
  const imported = await importDataset(deps, bound, { dataset, reuse: 'always' });
  if ('heldBy' in imported) throw new Error(`held by ${imported.heldBy}`);
  return imported;
}

const manifestOf = async ({ artifact }: StageResult): Promise<Manifest> =>
  await store.artifacts.readByUri(artifact.uri);

const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `w${from + at}`).join(' ');

describe('a dataset of every kind of row', () => {
  const rows = [
    { id: 'first', instruction: words(0, 100), tests: ['assert f(1) == 1', 'assert f(2) == 2'] },
    { id: 'equal', instruction: words(0, 100).toUpperCase() },
    { id: 'near', instruction: `${words(0, 100)} again` },
    { id: 'alike', instruction: `${words(0, 100)} ${words(500, 40)}`, language: 'JS' },
    { id: 'other', instruction: `In Python, ${words(1000, 50)}` },
    { id: 'held', instruction: `Please: ${words(2000, 50)}` },
    { id: 'none' },
  ];

  it('is published with counts, parts and reasons', async () => {
    await workplace.write({
      'kinds/rows.jsonl': jsonLines(rows),
      'kinds/README.md': '---\nlicense: apache-2.0\n---\n',
      'held.jsonl': jsonLines([{ id: 'h', text: words(2000, 50) }]),
    });
    const result = await importing({ uri: 'kinds', decontaminate: ['held.jsonl'] });
    expect(result.counts).toEqual({
      in: 7,
      rows: 3,
      duplicates: 1,
      nearDuplicates: 1,
      contaminated: 1,
      bad: 1,
    });
    const { parts, facts } = await manifestOf(result);
    const read = async <T>(name: string, schema: Parameters<typeof readRows<T>>[3]): Promise<T[]> =>
      await Array.fromAsync(readRows(store.blobs, parts[name] ?? [], {}, schema));
    const tasks = await read('tasks', taskRowSchema);
    expect(tasks.map(({ index, id, group, language, tests }) => [index, id, group, language, tests])).toEqual(
      [
        [0, 'first', 0, null, 'assert f(1) == 1\nassert f(2) == 2'],
        [1, 'alike', 0, 'javascript', null],
        [2, 'other', 2, 'python', null],
      ],
    );
    const excluded = await read('excluded', excludedRowSchema);
    expect(excluded.map(({ index, id, reason }) => [index, id, reason]).sort()).toEqual([
      [2, 'near', 'nearDuplicate'],
      [5, 'held', 'contaminated'],
    ]);
    expect(excluded.find(({ id }) => id === 'near')?.detail).toMatch(/^(?:0\.9\d|1\.00) like row 0$/u);
    expect(excluded.find(({ id }) => id === 'held')?.detail).toContain('held.jsonl');
    expect(await read('deadLetter', deadLetterSchema)).toMatchObject([{ index: 6, id: 'none' }]);
    expect(facts).toMatchObject({ license: 'apache-2.0', sourceFiles: 1 });
    expect(await readdir(join(workplace.dir, 'imports'))).toEqual([]);
  });

  it('is the same artefact again, and another one for other settings or another evaluation set', async () => {
    const base = { uri: 'kinds', decontaminate: ['held.jsonl'] };
    const first = await importing(base);
    const again = await importing(base);
    expect([again.reused, again.artifact.uri]).toEqual([true, first.artifact.uri]);
    const others = [
      await importing({ ...base, nearDuplicates: { removeFrom: 1, groupFrom: 0.6 } }),
      await importing({ ...base, fields: { tests: 'tests' } }),
      await importing({ ...base, decontaminate: [] }),
      await importing({ ...base, license: 'mit' }),
    ];
    await writeFile(join(workplace.dir, 'held.jsonl'), jsonLines([{ id: 'h', text: words(3000, 50) }]));
    others.push(await importing(base));
    const uris = [first, ...others].map(({ artifact }) => artifact.uri);
    expect(new Set(uris).size).toBe(uris.length);
    expect(others[0]?.counts).toMatchObject({ rows: 4, nearDuplicates: 0 });
    expect(others[2]?.counts).toMatchObject({ rows: 4, contaminated: 0 });
  });
});

it('is refused when its file changes while it is read, and leaves no scratch behind', async () => {
  await workplace.write({ 'growing.jsonl': jsonLines(sampleRows(12_000)) });
  let grown = false;
  const progress = (): void => {
    if (!grown) void appendFile(join(workplace.dir, 'growing.jsonl'), '{"question":"more"}\n');
    grown = true;
  };
  const error = await refusal(importing({ uri: 'growing.jsonl' }, { progress }));
  expect([error.code, error.problem]).toEqual([
    'DATASET_UNREADABLE',
    'the files changed while they were read.',
  ]);
  expect(await readdir(join(workplace.dir, 'imports'))).toEqual([]);
});

it('tells its pace, stops when it is cancelled, and leaves no scratch behind', async () => {
  await workplace.write({ 'many.jsonl': jsonLines(sampleRows(20_000)) });
  const cancel = new AbortController();
  const progress = (_: string, { note }: { note?: string }): void => {
    notes.push(note ?? '');
    if (note?.startsWith('read 10000 rows') === true) cancel.abort(new Error('cancelled here'));
  };
  notes.length = 0;
  await expect(importing({ uri: 'many.jsonl' }, { signal: cancel.signal, progress })).rejects.toThrow(
    'cancelled here',
  );
  expect(notes).toEqual([
    'hashes many.jsonl, file 1 of 1',
    expect.stringMatching(/^read 5000 rows, \d+ rows\/s$/u),
    expect.stringContaining('read 10000 rows'),
  ]);
  expect(await readdir(join(workplace.dir, 'imports'))).toEqual([]);
});

it('limitRows stops within a compressed file', async () => {
  await workplace.write({ 'much.jsonl.zst': zstdCompressSync(jsonLines(sampleRows(20_000))) });
  expect((await importing({ uri: 'much.jsonl.zst', limitRows: 7 })).counts).toMatchObject({ in: 7, rows: 7 });
});

describe('what `secpi run` uploads', () => {
  const uploader = () => ({
    store,
    namespace: 'test',
    cwd: workplace.dir,
    recipePath: join(workplace.dir, 'recipe.json'),
    say: () => undefined,
  });
  const rows = sampleRows(60);

  it('is a folder with its card and the files that hold the rows, under a name made of their content', async () => {
    await workplace.write({
      'local/README.md':
        '---\nlicense: [mit, cc0-1.0]\nconfigs:\n- config_name: default\n  data_files: "data/train-*.parquet"\n---\n',
      'local/data/train-0 é.parquet': parquet(rows.slice(0, 30)),
      'local/data/train-1.parquet': parquet(rows.slice(30)),
      'local/data/test-0.parquet': parquet(rows),
      'local/notes.txt': 'private',
    });
    const uploaded = await uploadDataset(
      datasetSchema.parse({ uri: 'local', decontaminate: [] }),
      uploader(),
    );
    expect(uploaded).toMatchObject({ name: 'local', format: 'parquet' });
    expect(uploaded.uri).toMatch(/^s3:\/\/test-1\/uploads\/datasets\/[0-9a-f]{64}\/$/u);
    const keys = await Array.fromAsync(store.objects.list('uploads/'), ({ key }) =>
      key.replace(/^.*[0-9a-f]{64}\//u, ''),
    );
    expect(keys.sort()).toEqual(['README.md', 'data/train-0 é.parquet', 'data/train-1.parquet']);
    const result = await importing(uploaded);
    expect(result.counts).toMatchObject({ in: 60, rows: 60 });
    expect((await manifestOf(result)).facts).toMatchObject({ license: 'mit, cc0-1.0', name: 'local' });
    expect((await uploadDataset(datasetSchema.parse({ uri: 'local' }), uploader())).uri).toBe(uploaded.uri);
  });

  it.each(['one.parquet', 'one.jsonl.gz'])('is the file %s as a blob', async (name) => {
    await workplace.write({ [name]: name.endsWith('gz') ? gzipSync(jsonLines(rows)) : parquet(rows) });
    const uploaded = await uploadDataset(datasetSchema.parse({ uri: name, decontaminate: [] }), uploader());
    expect(uploaded.uri).toContain('/blobs/sha256/');
    expect((await importing(uploaded)).counts).toMatchObject({ rows: 60 });
  });

  it('is nothing where there is nothing', async () => {
    const error = await refusal(uploadDataset(datasetSchema.parse({ uri: 'nowhere.jsonl' }), uploader()));
    expect([error.code, error.field]).toEqual(['DATASET_NOT_FOUND', 'dataset.uri']);
  });
});
