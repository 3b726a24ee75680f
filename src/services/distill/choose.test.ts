import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectedTraceSchema, traceRowSchema, type FilteredRow, type TraceRow } from '../../contract/rows.ts';
import type { Candidate } from './candidates.ts';
import { chooseBest, createCweQuota, refuseTask, toPair, type Passing } from './choose.ts';

const row: FilteredRow = {
  index: 3,
  id: 'r',
  task: 'Write f(x).',
  language: null,
  group: 2,
  tests: null,
  taskSha256: 'a'.repeat(64),
  cwes: ['CWE-22', 'CWE-78'],
  reason: 'a path',
};
const candidate = (change: Partial<Candidate> = {}): Candidate => ({
  index: 3,
  id: 'r',
  sample: 0,
  language: 'python',
  code: 'x = 1',
  reasoning: 'I look at the name.',
  answer: 'the answer',
  cwes: row.cwes,
  tests: null,
  parsed: true,
  ...change,
});
const passing = (sample: number, characters: number, oracles: number): Passing => ({
  candidate: candidate({ sample, reasoning: 'r', answer: 'a'.repeat(characters) }),
  oracles,
});

describe('chooseBest', () => {
  it.each<[string, Passing[], number | undefined]>([
    ['none of none', [], undefined],
    ['the shortest of equals', [passing(0, 30, 2), passing(1, 10, 2), passing(2, 20, 2)], 1],
    ['more oracles before shorter', [passing(0, 10, 1), passing(1, 90, 3), passing(2, 95, 3)], 1],
    ['the lowest sample of a tie', [passing(4, 10, 1), passing(2, 10, 1), passing(3, 10, 1)], 2],
  ])('%s', (_, all, sample) => expect(chooseBest(all)?.sample).toBe(sample));

  it('does not depend on the order', () => {
    const one = fc.record({
      characters: fc.integer({ min: 1, max: 5 }),
      oracles: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (all, keys) => {
        const set = all.map(({ characters, oracles }, sample) => passing(sample, characters, oracles));
        const shuffled = set
          .map((entry) => [keys.next().value ?? 0, entry] as const)
          .sort(([left], [right]) => left - right)
          .map(([, entry]) => entry);
        expect(chooseBest(shuffled)).toEqual(chooseBest(set));
      }),
    );
  });
});

describe('toPair', () => {
  it('has the task as its whole prompt, without a word of the teacher prompt', () => {
    const pair = toPair(row, candidate({ sample: 4 }), 'structured', false);
    expect(traceRowSchema.parse(pair)).toMatchObject({
      prompt: [{ role: 'user', content: 'Write f(x).' }],
      language: 'python',
      group: 2,
      sample: 4,
    });
    expect(JSON.stringify(pair.prompt)).not.toMatch(/CWE|weakness|secur/i);
  });

  it.each(['structured', 'generic', 'none'] as const)('keeps the %s prompt for the ablation', (prompt) => {
    const pair = toPair(row, candidate(), prompt, true);
    expect(pair.prompt.length).toBe(prompt === 'none' ? 1 : 2);
    expect(JSON.stringify(pair.prompt).includes('CWE-22')).toBe(prompt === 'structured');
  });
});

describe('refuseTask', () => {
  it('refuses a task that asks for security itself, and no other', () => {
    expect(refuseTask(row)).toBeNull();
    expect(refuseTask({ ...row, task: 'Write f(x) and avoid SQL injection.' })).toMatchObject({
      reason: 'leaksInstructions',
      detail: 'the task itself says: "avoid SQL injection"',
    });
  });
});

describe('createCweQuota', () => {
  const pair = (index: number, cwes: TraceRow['cwes']): TraceRow =>
    toPair({ ...row, index, cwes }, candidate(), 'structured', false);

  it('keeps the first of each first CWE, and all without one', () => {
    const quota = createCweQuota(2);
    const offered = [
      pair(0, ['CWE-22', 'CWE-78']),
      pair(1, ['CWE-22']),
      pair(2, ['CWE-22', 'CWE-89']),
      pair(3, ['CWE-78', 'CWE-22']),
      pair(4, []),
      pair(5, []),
      pair(6, []),
    ];
    const rejected = offered.map((one) => quota.take(one));
    expect(rejected.map((one) => one?.index ?? null)).toEqual([null, null, 2, null, null, null, null]);
    expect(rejectedTraceSchema.parse(rejected[2])).toMatchObject({
      reason: 'overQuota',
      detail: 'CWE-22 has its 2 traces',
    });
  });

  it('keeps everything without a quota', () => {
    const quota = createCweQuota(null);
    expect(Array.from({ length: 50 }, (_, index) => quota.take(pair(index, ['CWE-22'])))).toEqual(
      Array.from({ length: 50 }, () => null),
    );
  });
});
