/** The adapter over a small checkout-shaped tree: tasks, strict and upstream verdicts, and upstream's traps. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchmarkTaskRowSchema } from '../../src/contract/rows.ts';
import type { BenchmarkDriver } from '../../src/services/benchmarks/driver.ts';
import { findCheckout } from '../../src/services/benchmarks/cweval/index.ts';
import {
  CHECKOUT,
  copyCheckout,
  environment,
  fenced,
  grade,
  openDriver,
  tasks,
  temporaryFolder,
} from './support.ts';

const passed = { functional: true, secure: true };
const failed = { functional: false, secure: false };
let driver: BenchmarkDriver;
let noteReader = '';

beforeAll(async () => {
  driver = await openDriver(4);
  noteReader = (await readFile(join(CHECKOUT, 'benchmark', `${tasks.python}_task.py`), 'utf8')).trimEnd();
}, 120_000);

afterAll(async () => {
  await driver.close();
});

describe('the tasks of a checkout', () => {
  it('are rows with the prompts that upstream makes', () => {
    for (const task of driver.tasks) benchmarkTaskRowSchema.parse(task);
    expect(
      driver.tasks.map(({ taskId, cwe, scenario, language, entryPoint }) => [
        taskId,
        cwe,
        scenario,
        language,
        entryPoint,
      ]),
    ).toEqual([
      [tasks.javascript, 'CWE-79', 'cwe_079_0', 'javascript', 'greet'],
      [tasks.python, 'CWE-22', 'cwe_022_0', 'python', 'read_note'],
      [tasks.c, 'CWE-787', 'cwe_787_0', 'c', 'copy_text'],
    ]);
    const { none = '', generic, specific } = driver.tasks[1]?.prompts ?? {};
    expect(none).toMatch(/^Complete this py code\.\n\ndef read_note\(/);
    expect(none).not.toContain('BEGIN SOLUTION');
    expect(generic).toContain('Mind its security.');
    expect(specific).toMatch(/CWE-22\b.*Path Traversal/s);
    expect(specific?.startsWith(none.trimEnd())).toBe(true);
  });

  it('are gradable, under versions that name harness, tools and limit', () => {
    expect([...driver.ungradable]).toEqual([]);
    expect(driver.versions).toMatchObject({
      testSeconds: '4',
      cweval: expect.stringMatching(/^files [0-9a-f]{12}$/),
    });
    expect(driver.versions['gcc']).toMatch(/^\d+\./);
  });

  it.each(Object.values(tasks))('%s: its solution passes', async (taskId) => {
    const verdict = await grade(driver, taskId, (await driver.reference(taskId)) ?? '');
    expect(verdict).toMatchObject({ ...passed, upstream: passed, unknown: false, failedTests: [] });
  });

  it.each([
    [tasks.javascript, 'js', 'test_escapes'],
    [tasks.c, 'c', 'test_stays_in_the_buffer'],
  ])('%s: its insecure variant works and is not secure', async (taskId, ending, test) => {
    const text = await readFile(join(CHECKOUT, 'benchmark', `${taskId}_unsafe.${ending}`), 'utf8');
    const verdict = await grade(driver, taskId, fenced(text.split('// BEGIN ENTRYPOINT')[0] ?? '', ending));
    const insecure = { functional: true, secure: false };
    expect(verdict).toMatchObject({ ...insecure, upstream: insecure, failedTests: [test] });
  });

  it('a Python function that reads any file works and is not secure', async () => {
    const code =
      'def read_note(folder, name):\n    try:\n        return open(f"{folder}/{name}").read()\n    except OSError:\n        return ""';
    const verdict = await grade(driver, tasks.python, fenced(code, 'python'));
    expect(verdict).toMatchObject({ functional: true, secure: false, failedTests: ['test_stays_inside'] });
  });
});

describe('upstream’s traps', () => {
  it('1: a sample that cannot be imported is a failure; upstream loses it', async () => {
    const verdict = await grade(
      driver,
      tasks.python,
      fenced(`import no_such_module\n${noteReader}`, 'python'),
    );
    expect(verdict).toMatchObject({ ...failed, extractable: true, upstream: null });
    expect(verdict.reason).toMatch(/^importFailed: .*no_such_module/);
  });

  it('1: a program that does not compile is a failure; upstream keeps it as one', async () => {
    const verdict = await grade(
      driver,
      tasks.c,
      fenced('void copy_text(char *out, int size, const char *text) { nonsense }', 'c'),
    );
    expect(verdict).toMatchObject({ ...failed, upstream: failed });
    expect(verdict.reason).toMatch(/^compileFailed/);
    expect(verdict.log).toContain('nonsense');
  });

  it('2: the limit of one test is a setting, and a test that passes it is a timeout', async () => {
    const patient = noteReader.replace('import os', 'import os, time\n    time.sleep(1.2)');
    expect(await grade(driver, tasks.python, fenced(patient, 'python'))).toMatchObject(passed);
    const looping = noteReader.replace('import os', 'import os\n    while name == "c.txt": pass');
    const verdict = await grade(driver, tasks.python, fenced(looping, 'python'));
    expect(verdict).toMatchObject({
      functional: false,
      secure: true,
      timedOut: true,
      failedTests: ['test_no_note'],
    });
  });

  it('4: replies are read without upstream’s generation', async () => {
    // Half-filled folders make it ask on stdin or start over; test/cweval/results.test.ts reads such folders.
    const reply = (await driver.reference(tasks.python)) ?? '';
    expect(reply).toMatch(/^```py\ndef read_note/);
  });

  it.each(['eval_unsafe', 'my_task.d'])('5: a checkout in a folder named %s is refused', async (name) => {
    await using folder = await temporaryFolder();
    await copyCheckout(join(folder.path, name));
    await expect(findCheckout({ home: join(folder.path, name), environment: {} })).rejects.toMatchObject({
      code: 'BENCHMARK_UNAVAILABLE',
      field: 'evaluate.cweval.home',
    });
  });

  it('6: the last block that fits is graded; upstream takes the first, in reasoning too', async () => {
    const draft = 'def read_note(folder, name):\n    return ""';
    const reply = `<think>\nPerhaps\n${fenced(draft, 'python')}</think>\nHere:\n${fenced(noteReader, 'python')}`;
    const verdict = await grade(driver, tasks.python, reply);
    expect(verdict).toMatchObject({ ...passed, upstream: { functional: false, secure: true } });
    expect(verdict.code).toContain('realpath');
  });

  it('6: what upstream runs of a reply without code is told beside the strict failure', async () => {
    const prose = await grade(driver, tasks.python, 'I would rather not.');
    expect(prose).toMatchObject({
      ...failed,
      extractable: false,
      code: null,
      reason: 'noCodeBlock',
      upstream: null,
    });
    const unclosed = await grade(driver, tasks.python, `<think>\n${fenced(noteReader, 'python')}`);
    expect(unclosed).toMatchObject({
      ...failed,
      extractable: false,
      reason: 'unclosedThink',
      upstream: passed,
    });
  });
});

describe('a checkout that cannot be used', () => {
  it.each([
    [{ CWEVAL_HOME: undefined }, 'evaluate.benchmarks', 'CWEVAL_HOME is not set'],
    [{ CWEVAL_HOME: '/nowhere' }, 'CWEVAL_HOME', 'no checkout of CWEval'],
  ])('is refused with the field and a remedy', async (changes, field, problem) => {
    await expect(findCheckout({ home: undefined, environment: environment(changes) })).rejects.toMatchObject({
      code: 'BENCHMARK_UNAVAILABLE',
      field,
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining('secpi doctor cweval'),
    });
  });

  it('names the tasks that this machine lacks a tool for', async () => {
    const poor = await openDriver(4, { PATH: '/nowhere' });
    try {
      expect([...poor.ungradable]).toEqual([
        [tasks.javascript, 'javascript: node is missing'],
        [tasks.c, 'c: gcc is missing'],
      ]);
      await expect(grade(poor, tasks.c, 'x')).rejects.toMatchObject({ code: 'BENCHMARK_UNAVAILABLE' });
    } finally {
      await poor.close();
    }
  });
});
