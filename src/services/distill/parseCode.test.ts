import { afterAll, describe, expect, it } from 'vitest';
import { createCodeParser } from './parseCode.ts';

const parser = createCodeParser('python3');
afterAll(async () => await parser.close());

describe('createCodeParser', () => {
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
    ['ts', 'const a = <number>b;', true],
    ['tsx', 'const a = <div>{b as string}</div>;', true],
    ['python', '('.repeat(5000), false],
    ['python', 'x = 1', true],
  ])('%s code %j parses: %s', async (language, code, parses) => {
    expect((await parser.parses(language, code)).kind).toBe(parses ? 'parses' : 'broken');
  });

  it('does not judge a language without a parser', async () => {
    expect(await parser.parses('go', 'package main')).toEqual({ kind: 'notJudged' });
  });
});
