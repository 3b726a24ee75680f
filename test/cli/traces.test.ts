/** `secpi traces` in a process of its own, over a real store with artefacts that the test wrote. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FilteredRow, RejectedTrace, TraceRow } from '../../src/contract/rows.ts';
import type { Manifest } from '../../src/contract/manifest.ts';
import { emptyUsage } from '../../src/contract/usage.ts';
import { projectRoot } from '../../src/cli/settings.ts';
import { runCli, temporaryFolder } from '../../src/cli/testing/cli.ts';
import { collectDataRows } from '../../src/services/report/index.ts';
import { hashRows, writeRows, type Store } from '../../src/services/store/index.ts';
import { owner } from '../store/samples.ts';
import { startServer, TEST_CREDENTIALS, TEST_REGION, type TestServer } from '../store/server.ts';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u202e';
const TRACES = 'b'.repeat(64);
const FILTER = 'a'.repeat(64);
const GROWING = 'c'.repeat(64);

let server: TestServer;
let store: Store;
let env: NodeJS.ProcessEnv;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  server = await startServer();
  store = await server.openStore();
  folder = await temporaryFolder();
  env = {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_REGION: TEST_REGION,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    SECPI_BUCKET: store.objects.bucket,
    SECPI_STATE: join(folder.path, 'state'),
  };
  await publish('filter', FILTER, {
    kept: tasks(0, 60, 'a query is built from the request'),
    dropped: tasks(60, 100, 'only adds numbers'),
    excluded: [
      { index: 100, id: 'x-100', reason: 'contaminated', detail: '13-gram of suite/py/1', excerpt: 'Write' },
    ],
    deadLetter: [{ index: 101, id: null, reason: 'the row is not an object', excerpt: HOSTILE }],
    review: [{ ...task(0, 'because'), kept: true }],
  });
  const exported = join(folder.path, 'exported');
  await mkdir(join(exported, 'data'), { recursive: true });
  await writeFile(join(exported, 'README.md'), '---\nlicense: mit\n---\n');
  await writeFile(join(exported, 'data/train-00000-of-00001.parquet'), 'PAR1');
  await publish(
    'traces',
    TRACES,
    {
      pairs: Array.from({ length: 30 }, (_, index) => trace(2 * index)),
      rejected: [rejection(1, 0, 'truncated'), rejection(3, 0, 'truncated'), rejection(4, 1, 'testsFail')],
      deadLetter: [{ index: 5, id: 'task-5', reason: 'no answer after 6 attempts', excerpt: 'Write' }],
    },
    await store.blobs.putFolder(exported),
  );
  for (const index of [0, 1]) {
    const kept = await writeRows(store.blobs, tasks(10 * index, 10 * index + 10, 'because'), {
      rowsPerPart: 10,
    });
    await store.artifacts.putShard('filter', GROWING, {
      index,
      parts: { kept: kept[0]! },
      counts: {},
      usage: emptyUsage,
      seconds: 1,
    });
  }
});
afterAll(async () => {
  await server?.stop();
  await folder?.[Symbol.asyncDispose]();
});

function task(index: number, reason: string): FilteredRow {
  return {
    index,
    id: `task-${index}`,
    task: `Write function number ${index}.\n${index === 7 ? HOSTILE : ''}`,
    language: index % 2 === 0 ? 'python' : 'c',
    taskSha256: 'd'.repeat(64),
    group: index,
    tests: null,
    cwes: reason.startsWith('only') ? [] : [index % 3 === 0 ? 'CWE-89' : 'CWE-787'],
    reason,
  };
}

function tasks(from: number, to: number, reason: string): FilteredRow[] {
  return Array.from({ length: to - from }, (_, i) => task(from + i, reason));
}

function trace(index: number): TraceRow {
  return {
    index,
    id: `task-${index}`,
    prompt: [{ role: 'user', content: `Write function number ${index}.` }],
    reasoning: 'The name comes from the user, so a parameter is bound.',
    answer: '```python\ndef f(): ...\n```',
    language: 'python',
    cwes: ['CWE-89'],
    group: index,
    sample: 0,
  };
}

function rejection(index: number, sample: number, reason: RejectedTrace['reason']): RejectedTrace {
  const detail = `detail ${HOSTILE}`;
  return {
    index,
    id: `task-${index}`,
    sample,
    reason,
    detail,
    language: 'c',
    cwes: ['CWE-125'],
    excerpt: 'int f(',
  };
}

async function publish(
  kind: 'filter' | 'traces',
  fingerprint: string,
  outputs: Readonly<Record<string, readonly unknown[]>>,
  files: Manifest['files'] = [],
): Promise<void> {
  const writer = owner(`run of ${kind}`);
  const claim = await store.artifacts.claim({
    kind,
    fingerprint,
    owner: writer,
    isOwnerAlive: async () => true,
  });
  if (claim.status !== 'owned') throw new Error(`the artefact is ${claim.status}`);
  const parts: Manifest['parts'] = {};
  for (const [name, rows] of Object.entries(outputs))
    parts[name] = await writeRows(store.blobs, rows, { rowsPerPart: 25 });
  const { epoch } = claim;
  await store.artifacts.publish({
    kind,
    fingerprint,
    epoch,
    owner: writer,
    manifest: {
      kind,
      fingerprint,
      epoch,
      contentSha256: await hashRows(Object.values(outputs)[0] ?? []),
      rows: Object.values(outputs)[0]?.length ?? 0,
      parts,
      files,
      counts: {},
      facts: {},
      fingerprintOf: {},
      inputs: [],
      usage: emptyUsage,
      seconds: 1,
      createdAt: new Date().toISOString(),
      createdBy: writer,
    },
  });
}

const uri = (kind: string, fingerprint: string): string =>
  store.objects.uriOf(`artifacts/${kind}/${fingerprint}`);
const traces = async (...args: string[]) => await runCli(['traces', ...args], env);
const linesOf = (output: string): { kind: string; index: number; [name: string]: unknown }[] =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('secpi traces', () => {
  it('shows the first rows with verdict, weaknesses and reason, and what there is in all', async () => {
    const { code, output } = await traces(uri('filter', FILTER), '--limit', '2');
    expect(code).toBe(0);
    expect(output).toContain('kept 60 · dropped 40 · excluded 1 · dead letter 1 · review 1');
    expect(output).toMatch(
      /kept +#0 {2}task-0 {2}python {2}CWE-89\n {2}reason +a query is built from the request\n {2}task +Write function number 0\./,
    );
    expect(output).toContain('2 shown, there are more: --limit 4');
  });

  it('tells traces and rejections of a row together, and whole texts with --full', async () => {
    const { output } = await traces(uri('traces', TRACES), '--id', 'task-4', '--full');
    expect(output).toMatch(
      /accepted +#4 {2}task-4 {2}answer 0[\s\S]*rejected +#4 {2}task-4 {2}answer 1 {2}c {2}CWE-125/,
    );
    expect(output).toContain('  ── Reasoning\n  The name comes from the user, so a parameter is bound.\n');
    expect(output).toContain('  ── Answer\n  ```python\n  def f(): ...\n  ```');
    expect(output).toMatch(/reason +testsFail: detail /);
    expect(output).toContain('2 shown.');
  });

  it('gives everything to programs, in order, and only JSON', async () => {
    const { code, output } = await traces(uri('filter', FILTER), '--json');
    const rows = linesOf(output);
    expect(code).toBe(0);
    expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: 102 }, (_, index) => index));
    expect(rows[7]).toEqual({
      kind: 'kept',
      stage: 'filter',
      ...task(7, 'a query is built from the request'),
    });
    expect(rows.at(-1)).toMatchObject({ kind: 'dead', excerpt: HOSTILE });
  });

  it.each([
    [['--kind', 'dropped,excluded'], 41],
    [['--kind', 'dropped', '--kind', 'dead'], 41],
    [['--kind', 'review'], 1],
    // CWE-943 is the kin of CWE-89; CWE-787 is of the family.
    [['--cwe', 'CWE-943'], 20],
    [['--cwe', 'memory-safety', '--language', 'C'], 20],
    [['--cwe', 'memory-safety', '--cwe', 'injection'], 60],
    [['--language', 'py', '--kind', 'kept'], 30],
    [['--reason', 'CONTAMINATED'], 1],
    [['--reason', '13-gram'], 1],
    [['--search', 'number 42.'], 1],
    [['--id', 'task-9'], 1],
    [['--id', 'nobody'], 0],
    [['--limit', '5'], 5],
  ])('filters by %j', async (args, count) => {
    const { code, output } = await traces(uri('filter', FILTER), '--json', ...args);
    expect(code).toBe(0);
    expect(output === '' ? 0 : linesOf(output).length).toBe(count);
  });

  it('counts', async () => {
    const { output } = await traces(uri('traces', TRACES), '--count', '--json');
    expect(JSON.parse(output)).toEqual({
      rows: 34,
      byKind: { accepted: 30, rejected: 3, dead: 1 },
      byCwe: { 'CWE-89': 30, 'CWE-125': 3 },
      byLanguage: { python: 30, c: 3, unknown: 1 },
      byReason: { 'rejected: truncated': 2, 'dead: no answer after N attempts': 1, 'rejected: testsFail': 1 },
    });
    const text = await traces(uri('filter', FILTER), '--count', '--cwe', 'CWE-89');
    expect(text.output).toMatch(/^20 in all\n\nby kind\n +20 {2}kept\n\nby weakness/);
  });

  it('spells out what would act on a terminal', async () => {
    for (const args of [['--full'], [], ['--json'], ['--count']]) {
      for (const artefact of [uri('filter', FILTER), uri('traces', TRACES)]) {
        const { output } = await traces(artefact, '--limit', '200', ...args);
        // oxlint-disable-next-line no-control-regex -- what must not be there
        expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }
    }
    const { output } = await traces(uri('filter', FILTER), '--id', 'task-7');
    expect(output).toContain('\\x1b]0;owned\\x07\\x1b[2J\\u202e');
  });

  it('shows the finished shards of what is still being made', async () => {
    const { code, output } = await traces(uri('filter', GROWING), '--limit', '1');
    expect(code).toBe(0);
    expect(output).toContain('(not finished: what its finished shards hold)\n  kept 20');
    expect(linesOf((await traces(uri('filter', GROWING), '--json')).output)).toHaveLength(20);
  });

  it('exports the dataset folder whole, and never over other files', async () => {
    const target = join(folder.path, 'my-dataset');
    const { code, output } = await traces(uri('traces', TRACES), '--export', target);
    expect([code, output]).toEqual([0, `${target}: 2 files, 0.0 MB\n`]);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toContain('license: mit');
    expect(await traces(uri('traces', TRACES), '--export', target)).toMatchObject({ code: 0 });
    await writeFile(join(target, 'mine.txt'), 'mine');
    const refused = await traces(uri('traces', TRACES), '--export', target);
    expect(refused.code).toBe(2);
    expect(refused.output).toMatch(/RECIPE_INVALID {2}--export\n {2}Problem: .*holds other files/);
    expect(await traces(uri('filter', FILTER), '--export', join(folder.path, 'none'))).toMatchObject({
      code: 2,
      output: expect.stringContaining('there are no finished traces to export'),
    });
  });

  it.each([
    [
      'an artefact that is not there',
      () => uri('traces', 'e'.repeat(64)),
      /ARTIFACT_NOT_FOUND {2}RUN\n {2}Problem: Nothing is published/,
    ],
    ['another kind', () => uri('model', TRACES), /is of the kind "model", which holds no rows/],
    ['an address that is none', () => 's3://elsewhere/x', /does not name an artefact/],
  ])('refuses %s', async (_, run, message) => {
    const { code, output } = await traces(run());
    expect(code).toBe(2);
    expect(output).toMatch(message);
    expect(output).toContain('Remedy:');
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('says how to reach a run when no stack is there', async () => {
    const { code, output } = await traces('mine');
    expect(code).toBe(3);
    expect(output).toContain('No stack is running');
  });
});

describe('secpi traces of many rows', () => {
  const MANY = 'f'.repeat(64);
  const ROWS = 100_000;

  beforeAll(async () => {
    async function* rows() {
      for (let index = 0; index < ROWS; index += 1) yield task(index, `because ${index}`);
    }
    const parts = await writeRows(store.blobs, rows(), { rowsPerPart: 25_000 });
    for (const [index, kept] of parts.entries())
      await store.artifacts.putShard('filter', MANY, {
        index,
        parts: { kept },
        counts: {},
        usage: emptyUsage,
        seconds: 1,
      });
  });

  it('holds few of them at a time', async () => {
    // The rows alone would take more than the heap that is allowed.
    const args = ['--max-old-space-size=48', 'src/cli/main.ts', 'traces', uri('filter', MANY)];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--count', '--json'], {
      cwd: projectRoot,
      env: { ...process.env, ...env },
    });
    expect(JSON.parse(stdout)).toMatchObject({ rows: ROWS, byKind: { kept: ROWS } });
  });

  it('ends quietly when its reader does', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      [
        '-c',
        '"$0" src/cli/main.ts traces "$1" --json | head -n 1; echo "exit ${PIPESTATUS[0]}"',
        process.execPath,
        uri('filter', MANY),
      ],
      { cwd: projectRoot, env: { ...process.env, ...env } },
    );
    expect(stdout).toMatch(/^\{.*\}\nexit 0\n$/);
    expect(stderr).toBe('');
  });

  it('a report takes some of each kind, reading only what it takes, and the same each time', async () => {
    const kept = (await store.artifacts.listShards('filter', MANY)).flatMap(
      ({ parts }) => parts['kept'] ?? [],
    );
    const long = { ...task(ROWS, 'long'), task: 'x'.repeat(1_000_000) };
    const dropped = await writeRows(store.blobs, [long], { rowsPerPart: 1 });
    const filter = { fingerprint: MANY, parts: { kept, dropped } };
    const found = await store.artifacts.read('traces', TRACES);
    if (found === null) throw new Error('the traces are gone');
    const first = await collectDataRows(store, filter, found);
    expect(first.totals).toEqual({ kept: ROWS, dropped: 1, accepted: 30, rejected: 3, dead: 1 });
    const counts = (kind: string): number => first.rows.filter((row) => row.kind === kind).length;
    expect(['kept', 'dropped', 'accepted', 'rejected', 'dead'].map(counts)).toEqual([465, 1, 30, 3, 1]);
    expect(new Set(first.rows.map(({ kind, index, sample }) => `${kind} ${index} ${sample}`)).size).toBe(500);
    // Drawn from everywhere, and each row is the one at its place.
    const indices = first.rows.flatMap(({ kind, index }) => (kind === 'kept' ? [index] : []));
    expect(Math.min(...indices)).toBeLessThan(ROWS / 50);
    expect(Math.max(...indices)).toBeGreaterThan(ROWS - ROWS / 50);
    expect(first.rows.find(({ kind }) => kind === 'dropped')?.texts[0]?.text).toMatch(
      /^x{2000} … \[cut: 998,000 more characters\]$/,
    );
    expect(await collectDataRows(store, filter, found)).toEqual(first);
    const few = await collectDataRows(store, { fingerprint: FILTER, parts: {} }, found);
    expect(few.rows).toHaveLength(34);
  });
});
