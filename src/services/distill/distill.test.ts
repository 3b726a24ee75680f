import { afterAll, describe, expect, it } from 'vitest';
import type { FilteredRow } from '../../contract/rows.ts';
import { findCodeBlocks } from './codeBlocks.ts';
import { judgeTrace } from './judgeTrace.ts';
import { createCodeParser } from './parseCode.ts';
import { teacherMessages } from './prompt.ts';
import { checkTrace, findLeak, findRepetition, type TeacherAnswer } from './traceChecks.ts';

const parser = createCodeParser('python3');
afterAll(async () => await parser.close());

const fence = '```';
const good: TeacherAnswer = {
  text: `${fence}python\ndef f(x):\n    return x\n${fence}`,
  reasoning: 'The name comes from outside, so a path could leave the folder (CWE-22). I resolve it first.',
  finishReason: 'stop',
};

describe('findCodeBlocks', () => {
  it.each([
    ['one block', `a\n${fence}py\nx = 1\n${fence}\nb`, [{ language: 'py', code: 'x = 1', closed: true }]],
    ['CRLF', `${fence}py\r\nx\r\n${fence}\r\n`, [{ language: 'py', code: 'x', closed: true }]],
    ['tildes hold backticks', `~~~md\n${fence}\n~~~`, [{ language: 'md', code: fence, closed: true }]],
    [
      'a longer fence holds a shorter one',
      `${fence}${'`'}\n${fence}\n${fence}${'`'}`,
      [{ language: '', code: fence, closed: true }],
    ],
    ['unclosed', `${fence}js\nx`, [{ language: 'js', code: 'x', closed: false }]],
    ['info string', `${fence}Python title="a"\n${fence}`, [{ language: 'python', code: '', closed: true }]],
    ['none', 'just text', []],
  ])('%s', (_, text, blocks) => expect(findCodeBlocks(text)).toEqual(blocks));
});

describe('checkTrace', () => {
  it('takes a sound trace', () => expect(checkTrace(good)).toMatchObject({ ok: true }));

  it.each<[string, Partial<TeacherAnswer>, string]>([
    ['cut off', { finishReason: 'length' }, 'truncated'],
    ['another end', { finishReason: 'other' }, 'truncated'],
    ['no reasoning', { reasoning: null }, 'noReasoning'],
    ['blank reasoning', { reasoning: ' \n' }, 'noReasoning'],
    ['stray tag in the text', { text: `</think>${good.text}` }, 'unbalancedThink'],
    ['stray tag in the reasoning', { reasoning: 'a <think> b' }, 'unbalancedThink'],
    ['no code', { text: 'I would resolve the path.' }, 'noCodeBlock'],
    ['empty code', { text: `${fence}python\n\n${fence}` }, 'noCodeBlock'],
    ['open fence', { text: `${fence}python\nx = 1` }, 'truncated'],
    [
      'a loop',
      { reasoning: 'the quick brown fox jumps over the lazy dog and then it rests '.repeat(6) },
      'repetition',
    ],
    ['a leak', { reasoning: 'As instructed, I list the CWEs that matter.' }, 'leaksInstructions'],
  ])('rejects: %s', (_, change, reason) =>
    expect(checkTrace({ ...good, ...change })).toMatchObject({ ok: false, reason }),
  );

  it.each([
    'The prompt says to be careful.',
    'Following the instructions above, step one.',
    'Weaknesses to consider: none.',
    'I was asked to consider CWE-89.',
  ])('finds the leak in "%s"', (text) => expect(findLeak(text)).not.toBeNull());

  it.each([
    'The user gives a path.',
    'A SQL statement takes the instruction pointer.',
    'CWE-89 could appear where the name is joined into the query.',
  ])('finds no leak in "%s"', (text) => expect(findLeak(text)).toBeNull());

  it('calls a list with a common shape no repetition', () => {
    expect(
      findRepetition(
        Array.from({ length: 30 }, (_, i) => `case ${i} returns the value number ${i * 7}`).join('\n'),
      ),
    ).toBeNull();
  });
});

describe('the stored pair', () => {
  const task: FilteredRow = {
    index: 3,
    id: 'r',
    task: 'Write f(x).',
    language: null,
    group: 0,
    tests: null,
    taskSha256: 'a'.repeat(64),
    cwes: ['CWE-22'],
    reason: 'a path',
  };

  it('has the task as its whole prompt, without a word of the teacher prompt', async () => {
    const judged = await judgeTrace(task, good, parser);
    expect(judged).toMatchObject({
      kind: 'accepted',
      parsed: true,
      row: { prompt: [{ role: 'user', content: 'Write f(x).' }], language: 'python' },
    });
    const asked = teacherMessages(task.task, task.cwes)
      .map(({ content }) => content)
      .join('\n');
    expect(asked).toContain('CWE');
    expect(judged.kind === 'accepted' && JSON.stringify(judged.row.prompt)).not.toMatch(
      /CWE|weakness|secur/i,
    );
  });

  it.each([
    ['python', 'def f(:\n  pass', false],
    ['python', 'def f(x):\n    return x', true],
    ['js', 'const a = ;', false],
    [
      'js',
      'import { readFile } from "node:fs/promises"; export const f = async () => await readFile("x");',
      true,
    ],
    ['ts', 'const a: number = 1;', true],
    ['ts', 'const a: = 1;', false],
    ['python', '('.repeat(5000), false],
    ['python', 'x = 1', true],
  ])('%s code %j parses: %s', async (language, code, parses) => {
    expect((await parser.parses(language, code)).kind).toBe(parses ? 'parses' : 'broken');
  });

  it('does not judge a language without a parser', async () => {
    expect(await parser.parses('go', 'package main')).toEqual({ kind: 'notJudged' });
  });
});
