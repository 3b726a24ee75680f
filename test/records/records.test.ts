/** The embedded records are varied, and nothing of them resembles a task of the suite that models are graded on. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../src/services/benchmarks/suite/suiteTask.ts';
import { kinOf } from '../../src/services/cwe/index.ts';
import { loadEvaluationTexts } from '../../src/services/decontaminate/index.ts';
import { findCodeBlocks } from '../../src/services/distill/codeBlocks.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Highest share of common 5-grams (Jaccard) that two records may have. */
const MAX_SIMILARITY = 0.3;
/** Weaknesses that nothing here may be about; the suite and future ones measure with them what transfers. */
const HELD_OUT = ['93', '113', '117', '276', '377', '379', '732', '918', '1236', '1333'].map(
  (number) => `CWE-${number}`,
);
interface Recorded {
  readonly id: string;
  readonly language: string;
  readonly instruction: string;
  readonly tests?: string;
}
interface Label {
  readonly task: string;
  readonly relevant: boolean;
  readonly cwes: string[];
}
interface Verdict {
  readonly taskId: string;
  readonly relevant: boolean;
  readonly cwes: string[];
}

const lines = async <T>(file: string): Promise<T[]> =>
  (await readFile(join(project, 'records', file), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const tasks = await lines<Recorded>('tasks.jsonl');
const verdicts = await lines<Verdict>('verdicts.jsonl');
const labels = await lines<Label>('labels.jsonl');
const checks = await readdir(join(project, 'records/checks'));
/** Traces with a check are the sound ones; the others are flawed on purpose. */
const sound = checks.map((file) => file.replace(/(_test\.py|\.test\.(mjs|ts))$/, '')).sort();
const everyTrace = new Map(
  await Promise.all(
    (await readdir(join(project, 'records/traces'))).map(
      async (file) =>
        [file.replace(/\.md$/, ''), await readFile(join(project, 'records/traces', file), 'utf8')] as const,
    ),
  ),
);
const traces = new Map([...everyTrace].filter(([name]) => sound.includes(name)));
const taskIdOf = (trace: string): string => trace.replace(/\.\d+$/, '');
/** The language that a trace's code block names. */
const languageOf = (trace: string): string => findCodeBlocks(trace).at(-1)?.language ?? '';
const codeOf = (trace: string): string =>
  findCodeBlocks(trace.replace(/^[\s\S]*<\/think>/, '')).at(-1)?.code ?? '';
const suite = await loadSuite(join(project, 'suite'));

function tokens(text: string): string[] {
  return text.toLowerCase().match(/[a-z_][a-z0-9_]*|\d+|[^\s\w]/g) ?? [];
}

function grams(text: string, size: number): Set<string> {
  const all = tokens(text);
  return new Set(all.slice(size - 1).map((_, start) => all.slice(start, start + size).join(' ')));
}

function similarity(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const common = [...left].filter((gram) => right.has(gram)).length;
  const union = left.size + right.size - common;
  return union === 0 ? 0 : common / union;
}

function mostAlike(texts: readonly (readonly [string, string])[]): { pair: string; value: number } {
  const sets = texts.map(([id, text]) => [id, grams(text, 5)] as const);
  let most = { pair: '', value: 0 };
  for (const [at, [leftId, left]] of sets.entries()) {
    for (const [rightId, right] of sets.slice(at + 1)) {
      const value = similarity(left, right);
      if (value > most.value) most = { pair: `${leftId} and ${rightId}`, value };
    }
  }
  return most;
}

describe('the records', () => {
  it('are as many and as varied as the README says', () => {
    const relevant = verdicts.filter((verdict) => verdict.relevant);
    expect(tasks.length).toBeGreaterThanOrEqual(160);
    expect(new Set(tasks.map(({ language }) => language)).size).toBeGreaterThanOrEqual(10);
    expect(relevant.length).toBeGreaterThanOrEqual(80);
    expect(tasks.length - relevant.length).toBeGreaterThanOrEqual(70);
    expect(new Set(relevant.flatMap(({ cwes }) => cwes)).size).toBeGreaterThanOrEqual(30);
    expect(sound.length).toBeGreaterThanOrEqual(80);
    expect(new Set([...traces.values()].map(languageOf)).size).toBe(5);
    expect(verdicts.map(({ taskId }) => taskId).sort()).toEqual(tasks.map(({ id }) => id).sort());
  });

  it('every sound trace stands on its own: a known task, its language, a named weakness', () => {
    expect([...traces.keys()].sort()).toEqual(sound);
    for (const [name, trace] of traces) {
      const task = tasks.find(({ id }) => id === taskIdOf(name));
      const verdict = verdicts.find(({ taskId }) => taskId === taskIdOf(name));
      expect(languageOf(trace), name).toBe(task?.language);
      const named = [...trace.matchAll(/\bCWE-\d+\b/g)].map(([cwe]) => cwe);
      expect(verdict?.cwes, name).toEqual(expect.arrayContaining(named));
      expect(named, name).not.toEqual([]);
    }
  });

  it('some tasks have a flawed first answer and a sound second one, so that asking again helps', () => {
    const helped = sound.filter((name) => name.endsWith('.1') && !sound.includes(taskIdOf(name)));
    expect(helped.length).toBeGreaterThanOrEqual(3);
    for (const name of helped) expect([...everyTrace.keys()]).toContain(taskIdOf(name));
  });

  it('every relevant task has an answer, and no other task has one', () => {
    const relevant = verdicts.filter((verdict) => verdict.relevant).map(({ taskId }) => taskId);
    expect([...new Set([...everyTrace.keys()].map(taskIdOf))].sort()).toEqual(relevant.sort());
  });

  it('are labelled by hand in part, both classes, and not always as the recorded classifier says', () => {
    const idOf = new Map(tasks.map(({ id, instruction }) => [instruction, id]));
    const recorded = labels.map(({ task }) => verdicts.find(({ taskId }) => taskId === idOf.get(task)));
    expect(recorded).not.toContain(undefined);
    expect(new Set(labels.map(({ task }) => task)).size).toBe(labels.length);
    expect(labels.filter(({ relevant }) => relevant).length).toBeGreaterThanOrEqual(40);
    expect(labels.filter(({ relevant }) => !relevant).length).toBeGreaterThanOrEqual(40);
    for (const { relevant, cwes, task } of labels) expect(cwes.length > 0, task).toBe(relevant);
    const differ = labels.filter(({ relevant }, at) => recorded[at]?.relevant !== relevant);
    expect(differ.length).toBeGreaterThanOrEqual(1);
    expect(differ.length / labels.length).toBeLessThan(0.1);
  });

  it.each([
    ['instructions', tasks.map(({ id, instruction }) => [id, instruction] as const)],
    ['traces as a whole', [...traces]],
    ['code of traces', [...traces].map(([id, trace]) => [id, codeOf(trace)] as const)],
  ])('no two %s are alike', (_, texts) => {
    const most = mostAlike(texts);
    expect(most.value, most.pair).toBeLessThan(MAX_SIMILARITY);
  });

  it('none is about a weakness that is held out', () => {
    const heldOut = new Set(
      suite.flatMap(({ heldOut: isHeldOut, cwe }) => (isHeldOut && cwe !== null ? [cwe] : [])),
    );
    expect(heldOut.size).toBeGreaterThan(20);
    const kin = new Set([...HELD_OUT, ...heldOut].flatMap((cwe) => [...kinOf(cwe)]));
    // Labels measure the classifier and train nothing.
    const named = new Set(verdicts.flatMap(({ cwes }) => cwes));
    expect([...named].filter((cwe) => kin.has(cwe))).toEqual([]);
    for (const [name, trace] of everyTrace)
      for (const cwe of HELD_OUT) expect(trace, name).not.toMatch(new RegExp(`\\b${cwe}\\b`));
  });

  it('none resembles a task of the suite: prompt, reference or insecure variant', async () => {
    const graded = await Promise.all(
      suite.flatMap((task) => [
        (async () => [`${task.id} prompt`, task.prompt] as const)(),
        ...(['task', 'unsafe'] as const).map(
          async (role) =>
            [`${task.id} ${role}`, await readFile(task.files[role]?.path ?? '', 'utf8')] as const,
        ),
      ]),
    );
    const ours = [
      ...tasks.map(({ id, instruction }) => [`${id} task`, instruction] as const),
      ...tasks.map(({ id, tests }) => [`${id} tests`, tests ?? ''] as const),
      ...[...everyTrace].map(([id, trace]) => [`${id} code`, codeOf(trace)] as const),
    ];
    const entryPoints = new Set(suite.map(({ entryPoint }) => entryPoint));
    for (const [id, text] of ours) {
      const named = tokens(text).filter((token) => entryPoints.has(token));
      expect(named, `${id} names a function of the suite`).toEqual([]);
      for (const [gradedId, gradedText] of graded) {
        expect(similarity(grams(text, 5), grams(gradedText, 5)), `${id} and ${gradedId}`).toBeLessThan(
          MAX_SIMILARITY,
        );
      }
    }
  });

  it('none is found by the decontamination that every dataset passes through', async () => {
    const { check } = await loadEvaluationTexts(['suite'], {
      suiteDir: join(project, 'suite'),
      environment: {},
      baseDir: project,
    });
    const ours = [
      ...tasks.map(({ id, instruction }) => [`${id} task`, instruction] as const),
      ...tasks.map(({ id, tests }) => [`${id} tests`, tests ?? ''] as const),
      ...[...everyTrace].flatMap(([id, trace]) => [
        [`${id} trace`, trace] as const,
        [`${id} code`, codeOf(trace)] as const,
      ]),
    ];
    expect(ours.length).toBeGreaterThan(400);
    expect(ours.map(([id, text]) => [id, check(text)?.how]).filter(([, how]) => how !== undefined)).toEqual(
      [],
    );
  });
});
