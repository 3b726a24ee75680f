import { describe, expect, test } from 'vitest';
import { readOutputLine } from './outputLine.ts';

const KEY = 'a'.repeat(64);
const endpoint = { baseUrl: 'http://127.0.0.1:1/v1', model: 'm', timeoutMs: 1000, apiKey: 'the-key' };
const context = {
  endpoint,
  latencyMs: 5000,
  requestOf: (key: string) =>
    key === KEY ? { messages: [{ role: 'user' as const, content: 'hello' }] } : undefined,
};
const read = (line: unknown) =>
  readOutputLine(typeof line === 'string' ? line : JSON.stringify(line), context);
const answered = (body: unknown, status = 200) => ({
  id: 'r',
  custom_id: KEY,
  response: { status_code: status, request_id: 'q', body },
  error: null,
});

test('an answer is read as on the chat path, with the time of the batch', () => {
  const body = {
    model: 'm-1',
    choices: [{ message: { content: '<think>so</think>yes' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 3 },
  };
  expect(read(answered(body))).toMatchObject({
    kind: 'answer',
    key: KEY,
    completion: {
      text: 'yes',
      reasoning: 'so',
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 3 },
      latencyMs: 5000,
      model: 'm-1',
    },
  });
});

describe('what is no answer', () => {
  test.each([
    ['400', answered({ error: { message: 'too long', code: 'context_length_exceeded' } }, 400), 'request'],
    ['404', answered({ error: { message: 'no such model' } }, 404), 'endpoint'],
    ['429 without money', answered({ error: { code: 'insufficient_quota' } }, 429), 'endpoint'],
    ['429', answered({ error: { message: 'slow down' } }, 429), 'limited'],
    ['500 with a text for a body', answered('broken', 500), 'fault'],
    [
      'expired',
      { custom_id: KEY, response: null, error: { code: 'batch_expired', message: 'late' } },
      'fault',
    ],
    ['neither response nor error', { custom_id: KEY }, 'fault'],
  ])('%s', (_, line, kind) => {
    expect(read(line)).toMatchObject({ kind: 'error', key: KEY, charged: false, error: { kind } });
  });

  test.each([
    ['a 200 without choices', answered({ choices: [] })],
    ['a 200 with a text', answered('hello')],
  ])('%s may have been charged', (_, line) => {
    expect(read(line)).toMatchObject({ kind: 'error', charged: true, error: { kind: 'fault' } });
  });

  test('the provider’s words are kept, the key is not', () => {
    const outcome = read(answered({ error: { message: 'the-key may not' } }, 400));
    expect(outcome.kind === 'error' && outcome.error.message).toMatch(/HTTP 400: \[redacted\] may not/);
    const late = read({ custom_id: KEY, error: { code: 'batch_expired', message: 'late' } });
    expect(late.kind === 'error' && late.error.problem).toContain('batch_expired: late');
  });
});

test.each(['', '{"custom_id": "a', '[]', '{"custom_id": 7}', 'null'])('%j is unreadable', (line) => {
  expect(read(line)).toEqual({ kind: 'unreadable' });
});

test('a row that nobody asked about is told apart', () => {
  expect(read({ ...answered({}), custom_id: 'other' })).toEqual({ kind: 'foreign' });
});
