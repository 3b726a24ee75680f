/** The real analysers as a second opinion; one that is not on this machine is skipped, and that is printed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyserNames } from '../../src/contract/benchmarkNames.ts';
import { createOpinions, type Opinions } from '../../src/services/benchmarks/analysers/index.ts';
import { pythonPath } from '../chain/stack.ts';
import { samples } from './samples.ts';

const { signal } = new AbortController();
/** gosec's first call compiles parts of Go's library, and semgrep takes seconds to read its rules. */
const SLOW = { timeout: 600_000 };
const environment = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  SEMGREP_RULES: process.env['SEMGREP_RULES'],
};

/** Go's build cache there makes all but the first run short. */
const cacheDir = process.env['SECPI_CACHE'] ?? join(homedir(), '.cache', 'secpi');

let folder: string;
let opinions: Opinions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secpi-opinions-'));
  opinions = await createOpinions({ names: analyserNames, environment, pythonPath: pythonPath(), cacheDir });
  for (const { name, remedy } of opinions.missing) console.log(`skipped: ${name} is not here. ${remedy}`);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

it('has those that the set-up installs, and tells the version of each', () => {
  const names = opinions.available.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['bandit', 'flawfinder']));
  expect([...names, ...opinions.missing.map(({ name }) => name)].sort()).toEqual([...analyserNames].sort());
  for (const { version } of opinions.available) expect(version).toMatch(/^\d+\.\d+|^dev/);
});

describe.each(analyserNames)('%s', (name) => {
  const { language, flaw, sound, unreadable } = samples[name];

  it(
    'finds the flaw whatever a comment says, passes sound code, and tells what it cannot read',
    SLOW,
    async (context) => {
      if (opinions.missing.some((missing) => missing.name === name)) return context.skip();
      const codes = [flaw.code, sound, ...unreadable, sound];
      const judged = await opinions.judgeMany(
        codes.map((code) => ({ code, language })),
        signal,
      );
      const own = judged.map((all) => all.find((opinion) => opinion.name === name));
      expect(own[0]?.rules).toContain(flaw.rule);
      expect(own[0]?.findings).toBeGreaterThan(0);
      expect(own[1]).toEqual({ name, findings: 0, rules: [] });
      expect(own.slice(2, -1)).toEqual(unreadable.map(() => ({ name, findings: null, rules: [] })));
      expect(own.at(-1)).toEqual({ name, findings: 0, rules: [] });
    },
  );
});

it('asks of each sample only those that read its language', async () => {
  const python = await opinions.judge(samples.bandit.sound, 'python', signal);
  expect(python.map(({ name }) => name)).toContain('bandit');
  expect(python.map(({ name }) => name)).not.toContain('flawfinder');
  expect(await opinions.judge('PROGRAM x', 'cobol', signal)).toEqual([]);
  expect(await opinions.judgeMany([], signal)).toEqual([]);
});

it('runs nothing of the code', SLOW, async () => {
  const marker = join(folder, 'ran');
  const text = JSON.stringify(marker);
  await opinions.judgeMany(
    [
      { language: 'python', code: `open(${text}, "w").close()\n` },
      { language: 'javascript', code: `require("fs").writeFileSync(${text}, "")\n` },
      {
        language: 'go',
        code: `package main\n\n// #cgo CFLAGS: -fplugin=${marker}\nimport "C"\n\nfunc main() {}\n`,
      },
    ],
    signal,
  );
  await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('does not read the files of this machine that the code includes', async (context) => {
  if (opinions.missing.some(({ name }) => name === 'cppcheck')) return context.skip();
  const code = '#include "/dev/zero"\nint main(void) {\n  int a[2];\n  a[3] = 1;\n  return 0;\n}\n';
  const judged = await opinions.judge(code, 'c', signal);
  expect(judged).toContainEqual({ name: 'cppcheck', findings: 1, rules: ['arrayIndexOutOfBounds'] });
});

it('ends when it is aborted', async () => {
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(opinions.judge(samples.bandit.sound, 'python', aborted)).rejects.toThrow('enough');
});

describe('createOpinions', () => {
  it('tells how to get what is missing', async () => {
    const none = await createOpinions({
      names: analyserNames,
      environment: { PATH: '/nowhere' },
      pythonPath: '/nowhere/python',
      cacheDir,
    });
    expect(none.available).toEqual([]);
    expect(none.missing.map(({ name }) => name)).toEqual([...analyserNames]);
    for (const { name, remedy } of none.missing) expect(remedy).toContain(name);
    expect(await none.judge('eval(x)', 'python', signal)).toEqual([]);
  });

  it('looks only for those that are asked for', async () => {
    const none = await createOpinions({ names: [], environment, pythonPath: '/nowhere/python', cacheDir });
    expect([...none.available, ...none.missing]).toEqual([]);
  });

  it('tells of a tool that is there and does not start', async () => {
    const path = join(folder, 'cppcheck');
    await writeFile(path, '#!/bin/sh\necho broken >&2\nexit 3\n', { mode: 0o755 });
    const { missing } = await createOpinions({
      names: ['cppcheck'],
      environment: { PATH: folder },
      pythonPath: 'python3',
      cacheDir,
    });
    expect(missing[0]?.remedy).toMatch(/does not start: broken/);
  });
});
