import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../wire.ts';
import { inputLines, splitRequests, type KeyedRequest } from './inputFile.ts';

const body = { model: 'm', tokenLimitField: 'max_completion_tokens' } as const;
const sampling = { temperature: 0, topP: 1, maxTokens: 10, seed: 3 };

function requestOf(prompt: string, key = 'a'.repeat(64)): KeyedRequest {
  const chat = { messages: [{ role: 'user' as const, content: prompt }], sampling, index: 2 };
  return { key, rowId: prompt, index: 2, chat };
}

test('a line is the request of the chat path under its key', () => {
  const request = requestOf('say "ü"\n');
  const line = inputLines(body)(request);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({
    custom_id: request.key,
    method: 'POST',
    url: '/v1/chat/completions',
    body: bodyOf(request.chat, body),
  });
});

describe('a split', () => {
  test('keeps order, loses nothing and stays within both limits, whatever the requests', () => {
    const prompts = fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        prompts,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 300, max: 1500 }),
        (texts, maxRequests, maxFileBytes) => {
          const lineOf = inputLines(body);
          const bytesOf = (request: KeyedRequest): number => Buffer.byteLength(lineOf(request));
          const requests = texts.map((text) => requestOf(text));
          const { parts, tooLarge } = splitRequests(requests, body, { maxRequests, maxFileBytes });
          const fits = (request: KeyedRequest): boolean => bytesOf(request) <= maxFileBytes;
          expect(parts.flat()).toEqual(requests.filter(fits));
          expect(tooLarge).toEqual(requests.filter((request) => !fits(request)));
          for (const part of parts) {
            expect(part.length).toBeGreaterThan(0);
            expect(part.length).toBeLessThanOrEqual(maxRequests);
            expect(part.map(bytesOf).reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(
              maxFileBytes,
            );
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('of nothing is no file', () => {
    expect(splitRequests([], body, { maxRequests: 5, maxFileBytes: 100 })).toEqual({
      parts: [],
      tooLarge: [],
    });
  });
});
