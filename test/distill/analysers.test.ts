/** The real analysers on code that tries to hide, on code that is sound, and on the recorded traces. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse, analysersAvailable, type Analysis } from '../../src/services/distill/analysers.ts';
import type { Candidate } from '../../src/services/distill/candidates.ts';
import { pythonPath } from '../chain/stack.ts';
import { candidateOf, soundTraces } from './recorded.ts';

const NAMES = ['bandit', 'flawfinder'] as const;
const analyseAll = async (candidates: readonly Candidate[]): Promise<Analysis[]> =>
  await analyse(candidates, { pythonPath: pythonPath(), names: NAMES, tempDir });

let tempDir: string;
beforeAll(async () => {
  tempDir = await mkdtemp(join(tmpdir(), 'secpi-analysers-'));
  await analysersAvailable(pythonPath(), NAMES);
});
afterAll(async () => await rm(tempDir, { recursive: true }));

const PYTHON_FLAWS: readonly [string, string][] = [
  ['B602', 'import subprocess\ndef f(x):\n    subprocess.run("ls " + x, shell=True)  # nosec\n'],
  ['B605', 'import os\ndef f(x):\n    os.system("ls " + x)  # nosec B605\n'],
  ['B307', 'def f(x):\n    return eval(x)\n'],
  ['B301', 'import pickle\ndef f(x):\n    return pickle.loads(x)\n'],
  ['B608', 'def f(c, x):\n    return c.execute(f"SELECT * FROM t WHERE a = \'{x}\'")\n'],
  ['B324', 'import hashlib\ndef f(x):\n    return hashlib.md5(x).hexdigest()\n'],
  ['B202', 'import tarfile\ndef f(x):\n    with tarfile.open(x) as t:\n        t.extractall("out")\n'],
];
const PYTHON_SOUND: readonly string[] = [
  'import subprocess\ndef f(x):\n    return subprocess.run(["ls", "--", x], check=True, capture_output=True)\n',
  'def f(c, x):\n    return c.execute("SELECT * FROM t WHERE a = ?", (x,)).fetchall()\n',
  'import tarfile\ndef f(x):\n    with tarfile.open(x) as t:\n        t.extractall("out", filter="data")\n',
  'import xml.etree.ElementTree as E\ndef f(x):\n    if "<!DOCTYPE" in x:\n        raise ValueError\n    return E.fromstring(x)\n',
  'import urllib.request\ndef f(u):\n    if not u.startswith("https://"):\n        raise ValueError\n    return urllib.request.urlopen(u)\n',
  'import random\ndef f(x):\n    assert x\n    return random.choice(x)\n',
];
const C_FLAWS: readonly [string, string][] = [
  ['gets', '#include <stdio.h>\nvoid f(char *b) {\n  gets(b); /* Flawfinder: ignore */\n}\n'],
  ['strcpy', '#include <string.h>\nvoid f(char *b, const char *s) {\n  strcpy(b, s);\n}\n'],
  ['printf', '#include <stdio.h>\nvoid f(const char *s) { printf(s); }\n'],
  ['system', '#include <stdlib.h>\nvoid f(const char *s) { system(s); }\n'],
];
const C_SOUND = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
char *copy(const char *s, size_t most) {
  size_t n = strnlen(s, most);
  char *p = malloc(n + 1);
  if (p == NULL) return NULL;
  memcpy(p, s, n);
  p[n] = 0;
  return p;
}
int greet(char *out, size_t n, const char *name) { return snprintf(out, n, "hello %s", name); }
char *inside(const char *path) { return realpath(path, NULL); }
const char *home(void) { return getenv("HOME"); }
`;

describe('analyse', () => {
  it('finds flaws in one call each, comments that would silence it notwithstanding', async () => {
    const flaws = [
      ...PYTHON_FLAWS.map(([rule, code]) => ({ rule, candidate: candidateOf({ language: 'python', code }) })),
      ...C_FLAWS.flatMap(([rule, code]) =>
        ['c', 'c++'].map((language) => ({ rule, candidate: candidateOf({ language, code }) })),
      ),
    ];
    const found = await analyseAll(flaws.map(({ candidate }) => candidate));
    for (const [at, { rule }] of flaws.entries())
      expect(found[at]).toMatchObject({ kind: 'finding', detail: expect.stringContaining(rule) });
    expect(found[0]).toEqual({
      kind: 'finding',
      detail: 'B602 subprocess_popen_with_shell_equals_true line 3',
    });
    expect(await readdir(tempDir)).toEqual([]);
  });

  it('lets sound code pass', async () => {
    const sound = [
      ...PYTHON_SOUND.map((code) => candidateOf({ language: 'python', code })),
      candidateOf({ language: 'c', code: C_SOUND }),
    ];
    expect(await analyseAll(sound)).toEqual(sound.map(() => ({ kind: 'passed' })));
  });

  it('leaves other languages alone, and all of them without names', async () => {
    const go = candidateOf({ language: 'go', code: 'package main' });
    const python = candidateOf({ language: 'python', code: 'eval(x)' });
    expect(await analyseAll([go])).toEqual([{ kind: 'notJudged' }]);
    const none = await analyse([python], { pythonPath: pythonPath(), names: [] });
    expect(none).toEqual([{ kind: 'notJudged' }]);
    const other = await analyse([python], { pythonPath: pythonPath(), names: ['flawfinder'] });
    expect(other).toEqual([{ kind: 'notJudged' }]);
  });

  it('takes code that the analyser cannot read for a finding, and judges the others', async () => {
    const codes = [
      'x = 1',
      `x = ${'('.repeat(3000)}`,
      'def f(:',
      `x = ${'-'.repeat(50_000)}1`,
      'y = eval("1")',
    ];
    const found = await analyseAll(codes.map((code) => candidateOf({ language: 'python', code })));
    expect(found.map(({ kind }) => kind)).toEqual(['passed', 'finding', 'finding', 'finding', 'finding']);
  });

  it('runs nothing of the code', async () => {
    const marker = join(tmpdir(), `secpi-analysed-${process.pid}`);
    const code = `open(${JSON.stringify(marker)}, "w").close()\n`;
    await analyseAll([candidateOf({ language: 'python', code })]);
    await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends when it is aborted', async () => {
    const python = candidateOf({ language: 'python', code: 'x = 1' });
    const options = {
      pythonPath: pythonPath(),
      names: NAMES,
      signal: AbortSignal.abort(new Error('enough')),
    };
    await expect(analyse([python], options)).rejects.toThrow('enough');
  });
});

/** A sound trace that an analyser turns down is a false alarm, and is lost. */
it('turns down at most one in thirty of the recorded sound traces', async () => {
  const traces = await soundTraces();
  const found = await analyseAll(traces.map(({ candidate }) => candidate));
  const judged = found.filter(({ kind }) => kind !== 'notJudged').length;
  const alarms = traces.flatMap(({ id }, at) => {
    const analysis = found[at];
    return analysis?.kind === 'finding' ? [`${id}: ${analysis.detail}`] : [];
  });
  console.log(
    `${alarms.length} of ${judged} sound traces that were judged are turned down: ${alarms.join('; ')}`,
  );
  expect(judged).toBeGreaterThanOrEqual(50);
  expect(alarms.length).toBeLessThanOrEqual(judged / 30);
});

describe('analysersAvailable', () => {
  it.each(['/nowhere/python', '/usr/bin/false'])('refuses %s', async (path) => {
    await expect(analysersAvailable(path, ['bandit'])).rejects.toMatchObject({
      code: 'ANALYSER_UNAVAILABLE',
      field: 'distill.oracles.analysers',
    });
  });

  it('asks for nothing where nothing is wanted', async () => {
    await expect(analysersAvailable('/nowhere/python', [])).resolves.toBeUndefined();
  });
});
