import { afterAll, describe, expect, it } from 'vitest';
import { rejectedTraceSchema, type FilteredRow } from '../../contract/rows.ts';
import { candidateSchema, examine, rejectionOf } from './candidates.ts';
import { createCodeParser } from './parseCode.ts';
import type { TeacherAnswer } from './traceChecks.ts';

const parser = createCodeParser('python3');
afterAll(async () => await parser.close());

const fence = '```';
const row: FilteredRow = {
  index: 3,
  id: 'r',
  task: 'Write f(x).',
  language: 'python',
  group: 1,
  tests: 'def test_f(): pass',
  taskSha256: 'a'.repeat(64),
  cwes: ['CWE-22'],
  reason: 'a path',
};
const answer = (code: string, tag = 'python'): TeacherAnswer => ({
  text: `${fence}${tag}\n${code}\n${fence}`,
  reasoning: 'The name comes from outside.',
  finishReason: 'stop',
});

describe('examine', () => {
  it('makes a candidate that can travel', async () => {
    const examined = await examine(row, 2, answer('def f(x):\n    return x'), parser);
    if (examined.kind !== 'candidate') throw new Error(examined.rejection.detail);
    expect(candidateSchema.parse(JSON.parse(JSON.stringify(examined.candidate)))).toMatchObject({
      index: 3,
      id: 'r',
      sample: 2,
      language: 'python',
      code: 'def f(x):\n    return x',
      cwes: ['CWE-22'],
      tests: row.tests,
      parsed: true,
    });
  });

  it.each([
    ['the fence', 'Py3', 'python', 'python', true],
    ['the row where the fence is bare', '', 'python', 'python', true],
    ['the fence before the row', 'go', 'python', 'go', false],
    ['nobody', '', null, '', false],
  ])('takes the language from %s', async (_, tag, rowLanguage, language, parsed) => {
    const examined = await examine({ ...row, language: rowLanguage }, 0, answer('x = 1', tag), parser);
    expect(examined).toMatchObject({ kind: 'candidate', candidate: { language, parsed } });
  });

  it.each<[string, TeacherAnswer, string]>([
    ['what does not parse', answer('def f(:'), 'codeDoesNotParse'],
    ['what is cut off', { ...answer('x = 1'), finishReason: 'length' }, 'truncated'],
    ['what talks', { ...answer('x = 1'), reasoning: 'As instructed, I begin.' }, 'leaksInstructions'],
  ])('rejects %s with the sample and the reason', async (_, given, reason) => {
    const examined = await examine(row, 5, given, parser);
    if (examined.kind !== 'rejected') throw new Error('it was not rejected');
    expect(rejectedTraceSchema.parse(examined.rejection)).toMatchObject({ index: 3, sample: 5, reason });
  });
});

it('rejectionOf keeps the start of the answer only', () => {
  const long = { index: 0, id: 'r', sample: 0, cwes: [], language: '', answer: 'x'.repeat(10_000) };
  const rejection = rejectedTraceSchema.parse(rejectionOf(long, 'testsFail', 'test_f'));
  expect(rejection.excerpt.length).toBe(4000);
  expect(rejection.language).toBeNull();
});
