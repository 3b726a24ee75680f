/** The recorded traces as candidates, with the checks that tell the sound ones from those flawed on purpose. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Candidate } from '../../src/services/distill/candidates.ts';
import { findCodeBlocks } from '../../src/services/distill/codeBlocks.ts';
import { canonicalLanguage } from '../../src/services/language/index.ts';

const records = fileURLToPath(new URL('../../records/', import.meta.url));
const CHECK = /(?:_test\.py|\.test\.(?:mjs|ts))$/;

export interface RecordedTrace {
  readonly id: string;
  /** The whole file. */
  readonly text: string;
  readonly candidate: Candidate;
}

export function candidateOf(change: Partial<Candidate>): Candidate {
  return {
    index: 0,
    id: 'r',
    sample: 0,
    language: 'python',
    code: 'x = 1',
    reasoning: 'I think.',
    answer: 'the answer',
    cwes: [],
    tests: null,
    parsed: true,
    ...change,
  };
}

/** Those with a check. */
export async function soundTraces(): Promise<RecordedTrace[]> {
  const checks = (await readdir(join(records, 'checks'))).filter((name) => CHECK.test(name)).sort();
  return await Promise.all(
    checks.map(async (name, index) => {
      const id = name.replace(CHECK, '');
      const text = await readFile(join(records, 'traces', `${id}.md`), 'utf8');
      const block = findCodeBlocks(text).at(-1);
      if (block === undefined) throw new Error(`${id} has no code`);
      const tests = await readFile(join(records, 'checks', name), 'utf8');
      const language = canonicalLanguage(block.language);
      return { id, text, candidate: candidateOf({ index, id, language, code: block.code, tests }) };
    }),
  );
}

/** Those without a check, by id. */
export async function flawedTraces(): Promise<Map<string, string>> {
  const sound = new Set((await soundTraces()).map(({ id }) => id));
  const flawed = new Map<string, string>();
  for (const name of await readdir(join(records, 'traces'))) {
    const id = name.replace(/\.md$/, '');
    if (!sound.has(id)) flawed.set(id, await readFile(join(records, 'traces', name), 'utf8'));
  }
  return flawed;
}
