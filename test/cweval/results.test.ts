/** Folders in CWEval's layout: samples that are read, results that are written and read back. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchmarkTaskRowSchema, verdictRowSchema, type VerdictRow } from '../../src/contract/rows.ts';
import { importCwevalResults, writeUpstreamResults } from '../../src/services/benchmarks/cweval/index.ts';
import { readSamples } from '../../src/services/benchmarks/samplesFolder.ts';
import { tasks, temporaryFolder, write } from './support.ts';

const judged = (functional: boolean, secure: boolean): { functional: boolean; secure: boolean } => ({
  functional,
  secure,
});

function verdict(
  taskId: string,
  sample: number,
  strict: [boolean, boolean],
  upstream: [boolean, boolean] | null,
): VerdictRow {
  return {
    index: 0,
    benchmark: 'cweval',
    variant: 'none',
    taskId,
    sample,
    cwe: null,
    scenario: 's',
    language: 'python',
    generated: true,
    extractable: true,
    functional: strict[0],
    secure: strict[1],
    unknown: false,
    truncated: false,
    reason: 'passed',
    failedTests: [],
    foundCwes: [],
    upstream: upstream === null ? null : judged(...upstream),
    attempts: 1,
    opinions: [],
    log: '',
  };
}

/** The second sample of the Python task cannot be imported; the third C sample was never made. */
const verdicts = [
  verdict(tasks.python, 0, [true, true], [true, true]),
  verdict(tasks.python, 1, [false, false], null),
  verdict(tasks.python, 2, [true, false], [true, false]),
  verdict(tasks.c, 0, [true, true], [true, true]),
  verdict(tasks.c, 1, [false, true], [false, true]),
];

const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

describe('results as upstream’s report reads them', () => {
  it('have each sample at its index, in the strict way of counting', async () => {
    await using folder = await temporaryFolder();
    const dir = join(folder.path, 'evals', 'eval_1');
    await writeUpstreamResults(dir, verdicts);
    expect(await json(join(dir, 'generated_1', 'res.json'))).toEqual({
      [`evals/eval_1/generated_1/${tasks.python}_test.py`]: judged(false, false),
      [`evals/eval_1/generated_1/${tasks.c}_test.py`]: judged(false, true),
    });
    expect(await json(join(dir, 'res_all.json'))).toEqual({
      [`evals/eval_1/generated_X/${tasks.python}_test.py`]: {
        functional: [true, false, true],
        secure: [true, false, false],
        func_secure: [true, false, false],
      },
      [`evals/eval_1/generated_X/${tasks.c}_test.py`]: {
        functional: [true, false, false],
        secure: [true, true, false],
        func_secure: [true, false, false],
      },
    });
  });

  it('leave out what upstream loses, in its own way of counting', async () => {
    await using folder = await temporaryFolder();
    await writeUpstreamResults(folder.path, verdicts, { counting: 'upstream' });
    const all = Object.values(
      (await json(join(folder.path, 'res_all.json'))) as Record<string, { functional: boolean[] }>,
    );
    expect(all.map(({ functional }) => functional)).toEqual([
      [true, true],
      [true, false],
    ]);
  });

  it('come back by import, with what vanished as failures', async () => {
    await using folder = await temporaryFolder();
    await writeUpstreamResults(folder.path, verdicts, { counting: 'upstream' });
    const imported = await importCwevalResults(folder.path);
    for (const task of imported.tasks) benchmarkTaskRowSchema.parse(task);
    for (const row of imported.verdicts) verdictRowSchema.parse(row);
    expect(
      imported.tasks.map(({ taskId, cwe, scenario, language }) => [taskId, cwe, scenario, language]),
    ).toEqual([
      [tasks.python, 'CWE-22', 'cwe_022_0', 'python'],
      [tasks.c, 'CWE-787', 'cwe_787_0', 'c'],
    ]);
    expect(imported.samplesPerTask).toBe(3);
    expect(imported.verdicts.map(({ taskId, sample, upstream }) => [taskId, sample, upstream])).toEqual([
      [tasks.python, 0, judged(true, true)],
      [tasks.python, 1, null],
      [tasks.python, 2, judged(true, false)],
      [tasks.c, 0, judged(true, true)],
      [tasks.c, 1, judged(false, true)],
      [tasks.c, 2, null],
    ]);
    expect(imported.notes).toEqual([expect.stringMatching(/^2 of 6 samples are not in the results/)]);
  });

  it('are read from res_all.json alone, which does not tell which sample vanished', async () => {
    await using folder = await temporaryFolder();
    const lists = (functional: boolean[]): object => ({
      functional,
      secure: functional,
      func_secure: functional,
    });
    await write(
      join(folder.path, 'res_all.json'),
      JSON.stringify({
        [`evals/e/generated_X/${tasks.python}_test.py`]: lists([true]),
        [`evals/e/generated_X/${tasks.javascript}_test.py`]: lists([true, false]),
      }),
    );
    const { verdicts: rows, notes } = await importCwevalResults(folder.path);
    expect(rows.map(({ functional }) => functional)).toEqual([true, false, true, false]);
    expect(notes[0]).toMatch(/does not say which/);
  });

  it('name the samples that are on disk and in no result', async () => {
    await using folder = await temporaryFolder();
    await writeUpstreamResults(folder.path, verdicts.slice(0, 1));
    await write(join(folder.path, 'generated_0', `${tasks.c}_raw.c`), 'int x;');
    const { verdicts: rows, replies } = await importCwevalResults(folder.path);
    expect(rows.map(({ taskId, reason }) => [taskId, reason])).toEqual([
      [tasks.python, 'passed'],
      [tasks.c, 'missingFromResults'],
    ]);
    expect(replies.get(`${tasks.c} 0`)).toBe('int x;');
  });

  it.each([
    ['an empty folder', {}, /neither/],
    ['results that are not upstream’s', { 'res_all.json': '[]' }, /not what CWEval writes/],
    [
      'a name that is no test',
      { 'generated_0/res.json': '{"x.py": {"functional": true, "secure": true}}' },
      /not named/,
    ],
  ])('%s is refused', async (_name, files, problem) => {
    await using folder = await temporaryFolder();
    for (const [name, text] of Object.entries(files)) await write(join(folder.path, name), text);
    await expect(importCwevalResults(folder.path)).rejects.toMatchObject({
      code: 'SAMPLES_INVALID',
      problem: expect.stringMatching(problem),
    });
  });
});

describe('a folder of samples', () => {
  const known = new Set<string>(Object.values(tasks));

  it('is read by index and task, gaps and other files left alone', async () => {
    await using folder = await temporaryFolder();
    const dir = folder.path;
    await write(join(dir, 'generated_0', `${tasks.python}_raw.py`), 'a');
    await write(join(dir, 'generated_10', `${tasks.python}_raw.py`), 'b');
    await write(join(dir, 'generated_2', `${tasks.c}_raw.c`), 'c');
    await write(join(dir, 'generated_2', `${tasks.c}_task.c`), 'made by upstream');
    await write(join(dir, 'generated_2', 'res.json'), '{}');
    await write(join(dir, 'notes.txt'), '');
    expect(await readSamples(dir, known)).toEqual({
      samplesPerTask: 11,
      samples: [
        { taskId: tasks.python, index: 0, reply: 'a', file: `generated_0/${tasks.python}_raw.py` },
        { taskId: tasks.c, index: 2, reply: 'c', file: `generated_2/${tasks.c}_raw.c` },
        { taskId: tasks.python, index: 10, reply: 'b', file: `generated_10/${tasks.python}_raw.py` },
      ],
    });
  });

  it.each([
    ['no folder', null, /cannot be read/],
    ['no generated_ folder', ['readme.txt'], /no folder generated_0/],
    ['no sample', ['generated_0/readme.txt'], /holds no sample/],
    [
      'a sample of a task that is not there',
      ['generated_0/core/py/cwe_999_0_raw.py'],
      /"core\/py\/cwe_999_0"/,
    ],
    [
      'two samples in one place',
      [`generated_0/${tasks.c}_raw.c`, `generated_0/${tasks.c}_raw.h`],
      /second sample 0/,
    ],
  ])('is refused with %s', async (_name, files, problem) => {
    await using folder = await temporaryFolder();
    for (const file of files ?? []) await write(join(folder.path, file), 'x');
    const dir = files === null ? join(folder.path, 'nowhere') : folder.path;
    await expect(readSamples(dir, known)).rejects.toMatchObject({
      code: 'SAMPLES_INVALID',
      problem: expect.stringMatching(problem),
    });
  });
});
