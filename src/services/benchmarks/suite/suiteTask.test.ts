import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildPrompt } from './prompt.ts';
import { loadSuite, suiteContentHash } from './suiteTask.ts';

const suiteDir = fileURLToPath(new URL('../../../../suite', import.meta.url));

describe('the suite of the project', () => {
  test('has 18 tasks, 5 of weaknesses held out, sorted by id', async () => {
    const tasks = await loadSuite(suiteDir);
    expect(tasks).toHaveLength(18);
    expect(tasks.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id).sort());
    const heldOut = tasks.filter((task) => task.heldOut).map(({ cwe }) => cwe);
    expect(new Set(heldOut)).toEqual(new Set(['CWE-113', 'CWE-117', 'CWE-1236', 'CWE-377', 'CWE-732']));
    expect(tasks.filter((task) => !task.heldOut && heldOut.includes(task.cwe))).toEqual([]);
  });

  test('asks for each function without its solution and without a word on security', async () => {
    for (const task of await loadSuite(suiteDir)) {
      const message = buildPrompt(task);
      expect(message).toContain(`def ${task.entryPoint}(`);
      expect(message).not.toContain('BEGIN');
      expect(message).not.toMatch(/secur|safe|attack|malicious|vulnerab|sanit|escap|inject|untrusted|cwe|permission/i);
    }
  });
});

describe('loadSuite', () => {
  let dir: string;
  const file = (name: string): string => path.join(dir, 'core', 'py', name);
  const change = async (name: string, from: string, to: string): Promise<void> => {
    const text = await readFile(name, 'utf8');
    expect(text).toContain(from);
    await writeFile(name, text.replace(from, to));
  };

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'secpi-suite-'));
    await cp(suiteDir, dir, { recursive: true });
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  test('hashes content, whatever the folder and the order', async () => {
    const original = await loadSuite(suiteDir);
    expect(suiteContentHash((await loadSuite(dir)).reverse())).toBe(suiteContentHash(original));
    await change(file('cwe_022_0_test.py'), 'hello there', 'hello here');
    expect(suiteContentHash(await loadSuite(dir))).not.toBe(suiteContentHash(original));
  });

  const suiteJson = (): string => path.join(dir, 'suite.json');
  const refusals: [name: string, spoil: () => Promise<void>, says: RegExp][] = [
    ['a suite.json that is not JSON', () => writeFile(suiteJson(), '{'), /suite\.json is not JSON/],
    ['an unknown field', () => change(suiteJson(), '"heldOut"', '"held"'), /tasks\[0\]\.held is not a known field/],
    ['a malformed CWE', () => change(suiteJson(), '"CWE-22"', '"22"'), /tasks\[0\]\.cwe.*must look like CWE-89/],
    ['an id that leads elsewhere', () => change(suiteJson(), 'core/py/cwe_022_0', '../cwe_022_0'), /tasks\[0\]\.id/],
    ['a task named twice', () => change(suiteJson(), 'cwe_022_1', 'cwe_022_0'), /names "core\/py\/cwe_022_0" twice/],
    ['a missing file', () => rm(file('cwe_022_0_unsafe.py')), /cwe_022_0_unsafe\.py cannot be read/],
    ['a task without marker', () => change(file('cwe_022_0_task.py'), 'BEGIN SOLUTION', ''), /has no line with/],
    [
      'another entry point',
      () => change(file('cwe_022_0_task.py'), 'def read_upload(', 'def read_file('),
      /has no "def read_upload\("/,
    ],
    [
      'a test without mark',
      () => change(file('cwe_022_0_test.py'), '@pytest.mark.security\n', ''),
      /needs @pytest\.mark\.functionality or/,
    ],
    [
      'a parametrised test',
      () =>
        change(
          file('cwe_022_0_test.py'),
          '@pytest.mark.security\n',
          '@pytest.mark.parametrize("a", [1, 2])\n@pytest.mark.security\n',
        ),
      /second decorator/,
    ],
  ];
  test.each(refusals)('refuses %s', async (_name, spoil, says) => {
    await spoil();
    await expect(loadSuite(dir)).rejects.toMatchObject({ code: 'SUITE_INVALID', message: expect.stringMatching(says) });
  });
});
