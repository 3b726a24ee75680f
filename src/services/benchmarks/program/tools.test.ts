import { expect, test } from 'vitest';
import { missingTool } from './tools.ts';

const gcc = { path: '/usr/bin/gcc', version: '12.2.0', withoutSanitizers: null };
const bare = { ...gcc, withoutSanitizers: 'libubsan.so of gcc 12.2.0' };
const go = { path: '/usr/local/go/bin/go', version: '1.26.8', root: '/usr/local/go' };
const none = { gcc: null, gpp: null, go: null };

test.each([
  ['py', none, null],
  ['js', none, null],
  ['ts', none, null],
  ['c', none, 'c: gcc is missing'],
  ['c', { ...none, gcc: bare }, 'c: libubsan.so of gcc 12.2.0 is missing'],
  ['c', { ...none, gcc }, null],
  ['cpp', { ...none, gcc }, 'c++: g++ is missing'],
  ['cpp', { ...none, gpp: gcc }, null],
  ['go', none, 'go: go is missing'],
  ['go', { ...none, go }, null],
] as const)('%s with %j lacks %s', (language, tools, missing) => {
  expect(missingTool(language, tools)).toBe(missing);
});
