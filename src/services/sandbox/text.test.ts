import { expect, it } from 'vitest';
import { spellOutControls, tailOf } from './text.ts';

it.each([
  ['plain\ttext\n', 'plain\ttext\n'],
  ['a\r\nb', 'a\nb'],
  ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
  ['a\rb\u0000\u009b', 'a\\x0db\\x00\\x9b'],
  ['\u202eabc\u2066', '\\u202eabc\\u2066'],
  ['häß 漢 😀', 'häß 漢 😀'],
])('spells out %j', (text, wanted) => {
  expect(spellOutControls(text)).toBe(wanted);
});

it('keeps the end of a text within the length', () => {
  expect(tailOf('abcdef', 6)).toBe('abcdef');
  expect(tailOf('abcdefg', 4)).toBe('…efg');
});
