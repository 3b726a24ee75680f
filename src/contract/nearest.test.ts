import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { SecpiError } from './errors.ts';
import { knownFields } from './knownFields.ts';
import { editDistance, nearest } from './nearest.ts';
import { parseInput } from './parse.ts';
import { recipeSchema } from './recipe.ts';

test.each([
  ['', '', 0],
  ['epochs', 'epochs', 0],
  ['epochz', 'epochs', 1],
  ['epcohs', 'epochs', 1],
  ['epoch', 'epochs', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
])('from %j to %j are %d slips', (a, b, slips) => {
  expect(editDistance(a, b)).toBe(slips);
  expect(editDistance(b, a)).toBe(slips);
});

test.each([
  ['epochz', 'epochs'],
  ['learning_rate', 'learningRate'],
  ['LearningRate', 'learningRate'],
  ['optimizer', null],
  ['zzz', null],
])('%j probably means %j', (word, meant) => {
  expect(nearest(word, ['epochs', 'learningRate', 'loraRank'])).toBe(meant);
});

describe('the fields that are known at a place', () => {
  const schema = z.strictObject({
    plain: z.strictObject({ inner: z.number() }).optional(),
    list: z.array(z.strictObject({ first: z.number() }).prefault({ first: 1 })),
    either: z.union([z.strictObject({ one: z.number() }), z.strictObject({ two: z.number() })]),
    map: z.record(z.string(), z.strictObject({ value: z.number() }).nullable()),
  });

  test.each([
    [[], ['plain', 'list', 'either', 'map']],
    [['plain'], ['inner']],
    [['list', 3], ['first']],
    [['either'], ['one', 'two']],
    [['map', 'any'], ['value']],
    [['plain', 'inner'], []],
    [['nowhere', 'at', 'all'], []],
  ])('%j', (path, fields) => {
    expect(knownFields(schema, path)).toEqual(fields);
  });

  test('of the recipe, behind its defaults', () => {
    expect(knownFields(recipeSchema, ['finetune'])).toContain('model');
    expect(knownFields(recipeSchema, ['evaluate', 'sampling'])).toContain('temperature');
  });
});

test('a mistyped field is told its name, by every workflow', () => {
  const error = (() => {
    try {
      parseInput(z.strictObject({ samplesPerTask: z.int() }), { samplesPerTask: 1, samplePerTask: 2 });
      return null;
    } catch (cause) {
      return cause;
    }
  })();
  expect(error).toBeInstanceOf(SecpiError);
  expect(error).toMatchObject({ field: 'samplePerTask' });
  expect(String(error)).toContain('did you mean "samplesPerTask"?');
});
