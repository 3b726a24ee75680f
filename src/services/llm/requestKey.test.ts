import { expect, test } from 'vitest';
import { z } from 'zod';
import { answerSpace, requestKey } from './requestKey.ts';

const identity = { model: 'm', revision: 'r', promptVersion: 'p' };
const request = {
  messages: [{ role: 'user' as const, content: 'task' }],
  sampling: { temperature: 0, topP: 1, maxTokens: 100, seed: 0 },
  responseSchema: { name: 'verdict', schema: z.strictObject({ a: z.boolean() }) },
};
const key = requestKey(identity, request, 0);

test('the key of a request never changes: a change would pay for every answer again', () => {
  expect(key).toBe('25b1322e83fc4e83c6c28a90ea27c74c369cd7e39ed17638b7781138bf780bc5');
  expect(answerSpace(identity, request.sampling)).toBe(
    '327b9577807131f319ca7f718b680c73d4da83697d6ac35a34632a7d3a6edb01',
  );
});

test.each([
  ['model', requestKey({ ...identity, model: 'n' }, request, 0)],
  ['revision', requestKey({ ...identity, revision: 's' }, request, 0)],
  ['prompt version', requestKey({ ...identity, promptVersion: 'q' }, request, 0)],
  ['message', requestKey(identity, { ...request, messages: [{ role: 'user', content: 'Task' }] }, 0)],
  ['role', requestKey(identity, { ...request, messages: [{ role: 'system', content: 'task' }] }, 0)],
  [
    'temperature',
    requestKey(identity, { ...request, sampling: { ...request.sampling, temperature: 0.1 } }, 0),
  ],
  ['maxTokens', requestKey(identity, { ...request, sampling: { ...request.sampling, maxTokens: 101 } }, 0)],
  ['seed', requestKey(identity, { ...request, sampling: { ...request.sampling, seed: 1 } }, 0)],
  [
    'response schema',
    requestKey(
      identity,
      { ...request, responseSchema: { name: 'verdict', schema: z.strictObject({ a: z.string() }) } },
      0,
    ),
  ],
  ['no response schema', requestKey(identity, { messages: request.messages, sampling: request.sampling }, 0)],
  ['index', requestKey(identity, request, 1)],
])('another %s is another key', (_, other) => {
  expect(other).toMatch(/^[0-9a-f]{64}$/);
  expect(other).not.toBe(key);
});

test('the order of fields does not matter', () => {
  const { seed, maxTokens, topP, temperature } = request.sampling;
  expect(requestKey(identity, { ...request, sampling: { seed, maxTokens, topP, temperature } }, 0)).toBe(key);
});

test('another prompt version or sampling is another space', () => {
  const spaces = [
    answerSpace(identity, request.sampling),
    answerSpace({ ...identity, promptVersion: 'q' }, request.sampling),
    answerSpace(identity, { ...request.sampling, temperature: 1 }),
  ];
  expect(new Set(spaces).size).toBe(3);
});
