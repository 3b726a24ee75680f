import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verdictRowSchema, type VerdictRow } from '../../src/contract/rows.ts';
import { evaluateSchema } from '../../src/contract/recipe.ts';
import {
  importBaxbenchResults,
  openCheckout,
  readCatalogue,
  writeBaxbenchResults,
  type Catalogue,
} from '../../src/services/benchmarks/baxbench/index.ts';
import { formatRecord } from '../../src/services/benchmarks/baxbench/testResults.ts';
import { app, checkoutHome, makePython } from './lab.ts';

let root: string;
let catalogue: Catalogue;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bax-tree-'));
  const python = await makePython(root, '3.12.0');
  const checkout = await openCheckout(checkoutHome);
  catalogue = await readCatalogue({ checkout, python, settings: evaluateSchema.parse({}) });
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

const passed = {
  num_passed_ft: 2,
  num_total_ft: 2,
  num_ft_exceptions: 0,
  num_total_st: 2,
  num_st_exceptions: 0,
  cwes: [],
};
const broken = {
  num_passed_ft: 0,
  num_total_ft: 2,
  num_ft_exceptions: 2,
  num_total_st: 2,
  num_st_exceptions: 2,
  cwes: [],
};
const injected = { ...passed, cwes: [{ num: 94, desc: 'Code is built from input.' }] };

function verdict(taskId: string, sample: number, changes: Partial<VerdictRow>): VerdictRow {
  return {
    index: sample,
    benchmark: 'baxbench',
    variant: 'none',
    taskId,
    sample,
    cwe: 'CWE-94',
    scenario: taskId.split('/', 1)[0] ?? '',
    language: 'python',
    generated: true,
    extractable: true,
    functional: false,
    secure: false,
    unknown: false,
    truncated: false,
    reason: '',
    failedTests: [],
    foundCwes: [],
    upstream: null,
    attempts: 1,
    opinions: [],
    log: '',
    ...changes,
  };
}

it('verdicts are written in the shape of BaxBench and read back as they were', async () => {
  const dir = join(root, 'written');
  const model = 'org/a-model';
  const manyFiles = '### src/a.ts\n```ts\nlet a;\n```\n### b.ts\n```ts\nlet b;\n```';
  const samples = [
    { verdict: verdict('Sums/Python-Tiny', 0, { log: `x\n${formatRecord(passed)}` }), reply: app('passes') },
    { verdict: verdict('Sums/Python-Tiny', 1, { log: formatRecord(injected) }), reply: app('cwe') },
    { verdict: verdict('Sums/Python-Tiny', 2, { log: formatRecord(broken) }), reply: 'no code' },
    { verdict: verdict('Sums/Python-Tiny', 3, { log: 'timeout: too long' }), reply: app('hangs') },
    { verdict: verdict('Sums/Python-Tiny', 4, { generated: false }), reply: null },
    {
      verdict: verdict('Sums/JavaScript-many', 0, { variant: 'specific', log: formatRecord(passed) }),
      reply: manyFiles,
    },
  ];
  expect(await writeBaxbenchResults({ dir, model, temperature: 1, catalogue }, samples)).toBe(4);
  const files = (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
  const tiny = 'org-a-model/Sums/Python-Tiny/temp1.0-openapi-none';
  const many = 'org-a-model/Sums/JavaScript-many/temp1.0-openapi-specific';
  expect(files).toEqual([
    `${many}/sample0/code/b.ts`,
    `${many}/sample0/code/src/a.ts`,
    `${many}/sample0/test_results.json`,
    `${tiny}/sample0/code/app.py`,
    `${tiny}/sample0/test_results.json`,
    `${tiny}/sample1/code/app.py`,
    `${tiny}/sample1/test_results.json`,
    `${tiny}/sample2/code/failed`,
    `${tiny}/sample2/test_results.json`,
    `${tiny}/sample3/code/app.py`,
  ]);
  expect(JSON.parse(await readFile(join(dir, tiny, 'sample1/test_results.json'), 'utf8'))).toEqual(injected);

  const [imported, ...others] = await importBaxbenchResults(dir, { catalogue });
  expect(others).toEqual([]);
  expect(imported).toMatchObject({
    model: 'org-a-model',
    temperature: 1,
    spec: 'openapi',
    samplesPerTask: 4,
    variants: ['none', 'specific'],
  });
  const rows = (imported?.samples ?? []).map((sample) => verdictRowSchema.parse(sample.verdict));
  // Two tasks, two variants, four samples each: what is not there is counted too.
  expect(rows).toHaveLength(16);
  expect(rows.map(({ index }) => index)).toEqual(rows.map((_, index) => index));
  const short = rows
    .filter(({ generated }) => generated)
    .map(({ variant, taskId, sample, functional, secure, unknown, reason }) => ({
      at: `${variant} ${taskId} ${sample}`,
      functional,
      secure,
      unknown,
      reason,
    }));
  expect(short).toEqual([
    { at: 'none Sums/Python-Tiny 0', functional: true, secure: true, unknown: false, reason: 'passed' },
    { at: 'none Sums/Python-Tiny 1', functional: true, secure: false, unknown: false, reason: 'insecure' },
    {
      at: 'none Sums/Python-Tiny 2',
      functional: false,
      secure: false,
      unknown: false,
      reason: 'formatNotFound',
    },
    { at: 'none Sums/Python-Tiny 3', functional: false, secure: false, unknown: true, reason: 'untested' },
    {
      at: 'specific Sums/JavaScript-many 0',
      functional: true,
      secure: true,
      unknown: false,
      reason: 'passed',
    },
  ]);
  expect(
    rows
      .filter(({ generated }) => !generated)
      .every(({ reason, attempts }) => reason === 'notGenerated' && attempts === 0),
  ).toBe(true);
  expect(imported?.samples.at(4)?.code.get('app.py')).toContain('behaviour: passes');

  // Written again from what was read, BaxBench would count the same.
  const again = join(root, 'again');
  const replies = new Map(
    samples.map(({ verdict: { variant, taskId, sample }, reply }) => [
      `${variant} ${taskId} ${sample}`,
      reply,
    ]),
  );
  const reread = rows.map((row) => ({
    verdict: row,
    reply: replies.get(`${row.variant} ${row.taskId} ${row.sample}`) ?? null,
  }));
  expect(await writeBaxbenchResults({ dir: again, model, temperature: 1, catalogue }, reread)).toBe(4);
  for (const path of files)
    expect(await readFile(join(again, path), 'utf8')).toBe(await readFile(join(dir, path), 'utf8'));
});

it('a reply with names that leave its folder is written as a failed one', async () => {
  const dir = join(root, 'hostile');
  const reply = '<FILEPATH>../../../escaped.ts</FILEPATH><CODE>x</CODE>';
  const log = formatRecord(broken);
  await writeBaxbenchResults({ dir, model: '..', temperature: 0.2, catalogue }, [
    { verdict: verdict('Sums/JavaScript-many', 0, { log }), reply },
  ]);
  const written = await readdir(root, { recursive: true });
  expect(written.filter((name) => name.includes('escaped'))).toEqual([]);
  expect(written).toContain('hostile/_../Sums/JavaScript-many/temp0.2-openapi-none/sample0/code/failed');
});

it('without a checkout the tree alone tells: upstream figures, languages, links not followed, nonsense not counted', async () => {
  const dir = join(root, 'foreign');
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  const at = 'm/Login/Go-net-http/temp0.2-text-none';
  await put(`${at}/sample0/code/main.go`, 'package main');
  await put(`${at}/sample0/test_results.json`, JSON.stringify({ ...passed, num_st_exceptions: 1 }));
  await put(`${at}/sample1/code/main.go`, 'package main');
  await put(`${at}/sample1/test_results.json`, '{"num_passed_ft": "all"}');
  await put(`${at}/sample0/test.log`, 'INFO 2026-01-01 00:00:00,000 Security test sec_test_x passed\n');
  await put('m/Login/JavaScript-nest/temp0.2-text-none/sample1/test_results.json', JSON.stringify(injected));
  await put('m/Login/notes/readme.txt', 'not a sample');
  await put('secret', 'do not read');
  await symlink(join(dir, 'secret'), join(dir, at, 'sample0/code/link.go'));
  const [imported] = await importBaxbenchResults(dir);
  expect(imported?.tasks.map(({ taskId, language, cwe }) => [taskId, language, cwe])).toEqual([
    ['Login/Go-net-http', 'go', null],
    ['Login/JavaScript-nest', 'typescript', null],
  ]);
  const seen = imported?.samples.map(({ verdict: v, code }) => [
    v.reason,
    v.unknown,
    v.upstream,
    v.foundCwes,
    [...code.keys()],
  ]);
  expect(seen).toEqual([
    ['securityTestRaised', true, { functional: true, secure: true }, [], ['main.go']],
    ['untested', true, null, [], ['main.go']],
    ['notGenerated', false, null, [], []],
    ['insecure', false, { functional: true, secure: false }, ['CWE-94'], []],
  ]);
});

it('a folder without samples is refused', async () => {
  await expect(importBaxbenchResults(join(root, 'nowhere'))).rejects.toMatchObject({
    code: 'SAMPLES_INVALID',
  });
  await mkdir(join(root, 'empty'));
  await expect(importBaxbenchResults(join(root, 'empty'))).rejects.toMatchObject({ code: 'SAMPLES_INVALID' });
});
