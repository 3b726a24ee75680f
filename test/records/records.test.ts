/** The embedded records are varied, and nothing of them resembles a task of the suite that models are graded on. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../src/services/benchmarks/suite/suiteTask.ts';
import { findCodeBlocks } from '../../src/services/distill/codeBlocks.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
/** Highest share of common 5-grams (Jaccard) that two records may have. */
const MAX_SIMILARITY = 0.3;
/** The length at which the field calls an overlap with an evaluation set contamination. */
const CONTAMINATION_WORDS = 13;

interface Recorded {
  readonly id: string;
  readonly language: string;
  readonly instruction: string;
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
const checks = await readdir(join(project, 'records/checks'));
/** Traces with a check are the sound ones; the others are flawed on purpose. */
const sound = checks.map((file) => file.replace(/(_test\.py|\.test\.mjs)$/, '')).sort();
const traces = new Map(
  await Promise.all(
    sound.map(
      async (id) => [id, await readFile(join(project, 'records/traces', `${id}.md`), 'utf8')] as const,
    ),
  ),
);
const codeOf = (trace: string): string =>
  findCodeBlocks(trace.replace(/^[\s\S]*<\/think>/, '')).at(-1)?.code ?? '';
const suite = await loadSuite(join(project, 'suite'));

function tokens(text: string): string[] {
  return text.toLowerCase().match(/[a-z_][a-z0-9_]*|\d+|[^\s\w]/g) ?? [];
}

/** Words between blanks, as the contamination rule counts them. */
function words(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

function grams(text: string, size: number, cut: (text: string) => string[] = tokens): Set<string> {
  const all = cut(text);
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
    expect(tasks.length).toBeGreaterThanOrEqual(80);
    expect(new Set(tasks.map(({ language }) => language)).size).toBeGreaterThanOrEqual(4);
    expect(relevant.length).toBeGreaterThanOrEqual(36);
    expect(new Set(relevant.flatMap(({ cwes }) => cwes)).size).toBeGreaterThanOrEqual(10);
    expect(sound.length).toBeGreaterThanOrEqual(30);
    expect(verdicts.map(({ taskId }) => taskId).sort()).toEqual(tasks.map(({ id }) => id).sort());
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
    const heldOut = new Set(suite.filter((task) => task.heldOut).map(({ cwe }) => cwe));
    expect(heldOut.size).toBe(5);
    expect(verdicts.flatMap(({ cwes }) => cwes).filter((cwe) => heldOut.has(cwe))).toEqual([]);
  });

  it('none resembles a task of the suite: prompt, reference or insecure variant', async () => {
    const graded = await Promise.all(
      suite.flatMap((task) => [
        (async () => [`${task.id} prompt`, task.prompt] as const)(),
        ...(['task', 'unsafe'] as const).map(
          async (role) => [`${task.id} ${role}`, await readFile(task.files[role].path, 'utf8')] as const,
        ),
      ]),
    );
    const ours = [
      ...tasks.map(({ id, instruction }) => [`${id} task`, instruction] as const),
      ...[...traces].map(([id, trace]) => [`${id} code`, codeOf(trace)] as const),
    ];
    const entryPoints = new Set(suite.map(({ entryPoint }) => entryPoint));
    for (const [id, text] of ours) {
      const named = tokens(text).filter((token) => entryPoints.has(token));
      expect(named, `${id} names a function of the suite`).toEqual([]);
      for (const [gradedId, gradedText] of graded) {
        expect(similarity(grams(text, 5), grams(gradedText, 5)), `${id} and ${gradedId}`).toBeLessThan(
          MAX_SIMILARITY,
        );
        const long = grams(gradedText, CONTAMINATION_WORDS, words);
        const shared = [...grams(text, CONTAMINATION_WORDS, words)].filter((gram) => long.has(gram));
        expect(shared, `${id} and ${gradedId}`).toEqual([]);
      }
    }
  });
});
