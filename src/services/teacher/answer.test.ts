import { describe, expect, test } from 'vitest';
import { answerFor, taskIn } from './answer.ts';
import { chatRequestSchema, cutAt, streamEvents, usageOf, type Answer } from './protocol.ts';
import { parseTrace, taskHash, type Records } from './records.ts';

const records: Records = new Map([
  [
    taskHash('Write `f(x)`.'),
    {
      id: 'one',
      verdict: { relevant: true, cwes: ['CWE-22'], reason: 'A path.' },
      traces: [
        { text: '<think>why</think>\n\ncode', finishReason: 'stop' as const },
        { text: '<think>how</think>\n\nother code', finishReason: 'stop' as const },
        { text: '<think>cut', finishReason: 'length' as const },
      ],
    },
  ],
  [taskHash('Sort.'), { id: 'two', verdict: { relevant: false, cwes: [], reason: 'Pure.' }, traces: [] }],
]);
const ask = (model: string, prompt: string, more: object = {}): Answer =>
  answerFor(
    chatRequestSchema.parse({
      model,
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: prompt },
      ],
      ...more,
    }),
    records,
  );

describe('taskIn', () => {
  test.each([
    ['<task>\nWrite.\n</task>', 'Write.'],
    ['before <task>a</task> after', 'a'],
    ['<task>parse "<task>x</task>" tags</task> then', 'parse "<task>x</task>" tags'],
    ['no task', null],
    ['<task>never closed', null],
    ['</task> <task>', null],
  ])('%j', (prompt, task) => {
    expect(taskIn(prompt)).toBe(task);
  });
});

describe('an answer', () => {
  test('is the verdict of the classifier, the trace of the teacher', () => {
    expect(JSON.parse(ask('recorded-classifier', '<task>Write `f(x)`.</task>').content)).toEqual({
      relevant: true,
      cwes: ['CWE-22'],
      reason: 'A path.',
    });
    expect(ask('recorded-teacher', '<task>Write `f(x)`.</task>')).toEqual({
      content: 'code',
      reasoning: 'why',
      finishReason: 'stop',
    });
  });

  test.each([
    [0, 'code'],
    [1, 'other code'],
    [2, '<think>cut'],
    [3, 'code'],
    [7, 'other code'],
    [-1, '<think>cut'],
    [null, 'code'],
  ])('of several recorded ones is chosen by the seed: %j', (seed, content) => {
    expect(ask('recorded-teacher', '<task>Write `f(x)`.</task>', { seed }).content).toBe(content);
  });

  test('is found whatever the white space, case and composition', () => {
    expect(ask('recorded-classifier', '<task>\n  write\n\t`F(x)`.  </task>').content).toContain('CWE-22');
  });

  test.each([
    ['an unknown task', 'recorded-teacher', '<task>Write g.</task>', {}, 404, 'unknown_task'],
    ['a task without a trace', 'recorded-teacher', '<task>Sort.</task>', {}, 404, 'no_recorded_trace'],
    ['an unknown model', 'gpt', '<task>Sort.</task>', {}, 404, 'model_not_found'],
    ['a prompt without a task', 'recorded-teacher', 'Sort.', {}, 400, 'no_task'],
    [
      'a trace where JSON is asked for',
      'recorded-teacher',
      '<task>Write `f(x)`.</task>',
      { response_format: { type: 'json_object' } },
      400,
      'not_json',
    ],
    [
      'a verdict that does not fit the schema',
      'recorded-classifier',
      '<task>Sort.</task>',
      {
        response_format: {
          type: 'json_schema',
          json_schema: {
            name: 'v',
            schema: { type: 'object', properties: { other: { type: 'string' } }, required: ['other'] },
          },
        },
      },
      400,
      'schema_mismatch',
    ],
  ])('is refused for %s', (_, model, prompt, more, status, code) => {
    expect(() => ask(model, prompt, more)).toThrow(expect.objectContaining({ status, code }));
  });

  test('is cut at max_tokens, reasoning first', () => {
    const answer: Answer = { content: 'c'.repeat(40), reasoning: 'r'.repeat(40), finishReason: 'stop' };
    expect(cutAt(answer, 20)).toEqual(answer);
    expect(cutAt(answer, 15)).toEqual({
      content: 'c'.repeat(20),
      reasoning: 'r'.repeat(40),
      finishReason: 'length',
    });
    expect(cutAt(answer, 5)).toEqual({ content: '', reasoning: 'r'.repeat(20), finishReason: 'length' });
  });
});

test('usage counts four characters a token', () => {
  const usage = usageOf([{ role: 'user', content: 'x'.repeat(400) }], {
    content: 'c'.repeat(9),
    reasoning: 'r'.repeat(8),
    finishReason: 'stop',
  });
  expect(usage).toEqual({
    prompt_tokens: 104,
    completion_tokens: 5,
    total_tokens: 109,
    completion_tokens_details: { reasoning_tokens: 2 },
  });
});

test('a stream carries the same text as the answer', () => {
  const answer: Answer = { content: 'c'.repeat(500), reasoning: 'r'.repeat(200), finishReason: 'length' };
  const events = [...streamEvents({ id: 'i', model: 'm', created: 1 }, answer, usageOf([], answer))];
  expect(events.at(-1)).toBe('[DONE]');
  const chunks = events.slice(0, -1).map(
    (event) =>
      JSON.parse(event) as {
        choices: { delta: { content?: string; reasoning?: string }; finish_reason: string | null }[];
        usage?: object;
      },
  );
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(answer.content);
  expect(chunks.map(({ choices }) => choices[0]?.delta.reasoning ?? '').join('')).toBe(answer.reasoning);
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 175 } });
});

describe('parseTrace', () => {
  test.each([
    ['plain', '<think>a</think>\n\nb\n', { text: '<think>a</think>\n\nb', finishReason: 'stop' }],
    ['cut off', '<!-- finish_reason: length -->\n<think>a', { text: '<think>a', finishReason: 'length' }],
  ])('%s', (_, file, expected) => {
    expect(parseTrace(file, 'x.md')).toEqual(expected);
  });
  test.each([['  \n'], ['<!-- finish_reason: bored -->\ntext'], ['<!-- finish_reason: length -->\n']])(
    'refuses %j',
    (file) => {
      expect(() => parseTrace(file, 'x.md')).toThrow(
        expect.objectContaining({ code: 'DATASET_UNREADABLE', message: expect.stringContaining('x.md') }),
      );
    },
  );
});
