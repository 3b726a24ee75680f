import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from './chat.ts';
import { bodySerialiser } from './requestBody.ts';
import { bodyOf, toCompletion } from './wire.ts';

const sampling = { temperature: 0.5, topP: 0.9, maxTokens: 77, seed: 3 };
const options = { model: 'a "quoted" \\ model "messages":[]', tokenLimitField: 'max_tokens' } as const;
const responseSchema = { name: 'verdict', schema: z.strictObject({ good: z.boolean() }) };
const messages = [
  { role: 'system' as const, content: 'half \ud800 of a pair, "messages":[]' },
  { role: 'user' as const, content: 'größer\n\u2028' },
];

describe('the body of a request', () => {
  test.each<[string, ChatRequest]>([
    ['plain', { messages, sampling }],
    ['with a schema', { messages, sampling, responseSchema }],
    ['of a later sample', { messages, sampling, index: 2 }],
    ['without messages', { messages: [], sampling }],
  ])('%s is serialised as JSON.stringify would', (_, request) => {
    expect(bodySerialiser(options)(request)).toBe(JSON.stringify(bodyOf(request, options)));
  });

  test('follows a change of sampling, schema and sample from one request to the next', () => {
    const serialise = bodySerialiser(options);
    const requests: ChatRequest[] = [
      { messages, sampling },
      { messages, sampling: { ...sampling, seed: 9 } },
      { messages, sampling, responseSchema },
      { messages, sampling, index: 1 },
      { messages: [], sampling },
    ];
    for (const request of requests) expect(serialise(request)).toBe(JSON.stringify(bodyOf(request, options)));
  });

  test('seeds each sample differently and names the limit as the endpoint wants it', () => {
    const body = bodyOf(
      { messages, sampling, index: 4 },
      { ...options, tokenLimitField: 'max_completion_tokens' },
    );
    expect(body).toMatchObject({ seed: 7, max_completion_tokens: 77 });
    expect(body).not.toHaveProperty('max_tokens');
  });
});

describe('usage', () => {
  const endpoint = { baseUrl: 'http://127.0.0.1:9/v1', model: 'm', timeoutMs: 1 };
  const answer = (usage: unknown): unknown => ({
    choices: [{ message: { content: 'a'.repeat(400), reasoning: 'ü'.repeat(50) }, finish_reason: 'stop' }],
    usage,
  });
  const request = { messages: [{ role: 'user' as const, content: 'b'.repeat(80) }] };

  test('that the endpoint tells is kept, zeros too', () => {
    const told = {
      prompt_tokens: 0,
      completion_tokens: 7,
      completion_tokens_details: { reasoning_tokens: 3 },
    };
    expect(toCompletion(answer(told), 1, endpoint, request)).toMatchObject({
      usage: { promptTokens: 0, completionTokens: 7, reasoningTokens: 3 },
      usageKnown: true,
    });
  });

  test.each([
    ['nothing', undefined, { promptTokens: 20, completionTokens: 125 }],
    ['null', null, { promptTokens: 20, completionTokens: 125 }],
    ['only the prompt', { prompt_tokens: 31 }, { promptTokens: 31, completionTokens: 125 }],
  ])('is estimated from bytes where it tells %s, and marked', (_, usage, expected) => {
    expect(toCompletion(answer(usage), 1, endpoint, request)).toMatchObject({
      usage: expected,
      usageKnown: false,
    });
  });
});
