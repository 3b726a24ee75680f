import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { classificationSchema } from '../../contract/rows.ts';
import { jsonSchemaOf, parseStructured } from './structured.ts';

const schema = z.strictObject({ relevant: z.boolean(), count: z.int() });
const parse = (text: string, finishReason: 'stop' | 'length' = 'stop'): unknown =>
  parseStructured({ text, finishReason }, schema);

describe('parseStructured', () => {
  test.each([
    ['plain', '{"relevant":false,"count":0}'],
    ['with white space', ' \n{"relevant":false,"count":0}\n'],
    ['fenced as json', '```json\n{"relevant":false,"count":0}\n```'],
    ['fenced without a language', '```\n{"relevant":false,"count":0}\n```\n'],
  ])('accepts JSON %s and keeps false and 0', (_, text) => {
    expect(parse(text)).toEqual({ relevant: false, count: 0 });
  });

  test.each([
    ['empty', '', /the answer is empty/],
    ['prose', 'Yes, it is relevant.', /not JSON/],
    ['prose around JSON', 'Here: {"relevant":true,"count":1}', /not JSON/],
    ['a wrong type', '{"relevant":"yes","count":1}', /relevant: /],
    ['a missing field', '{"relevant":true}', /count: /],
    ['an unknown field', '{"relevant":true,"count":1,"more":1}', /more/],
  ])('refuses %s as ANSWER_UNUSABLE and says why', (_, text, problem) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'ANSWER_UNUSABLE', message: expect.stringMatching(problem) }),
    );
  });

  test('says when the answer was cut off', () => {
    expect(() => parse('{"relevant":tr', 'length')).toThrow(/cut off at maxTokens/);
  });
});

test('the schema of a classification is closed and requires every field, as strict mode wants', () => {
  expect(jsonSchemaOf(classificationSchema)).toMatchObject({
    type: 'object',
    required: ['relevant', 'cwes', 'reason'],
    additionalProperties: false,
  });
});
