import { describe, expect, it } from 'vitest';
import { findCodeBlocks } from './codeBlocks.ts';

const fence = '```';

describe('findCodeBlocks', () => {
  it.each([
    ['one block', `a\n${fence}py\nx = 1\n${fence}\nb`, [{ language: 'py', code: 'x = 1', closed: true }]],
    ['CRLF', `${fence}py\r\nx\r\n${fence}\r\n`, [{ language: 'py', code: 'x', closed: true }]],
    ['tildes hold backticks', `~~~md\n${fence}\n~~~`, [{ language: 'md', code: fence, closed: true }]],
    [
      'a longer fence holds a shorter one',
      `${fence}${'`'}\n${fence}\n${fence}${'`'}`,
      [{ language: '', code: fence, closed: true }],
    ],
    ['unclosed', `${fence}js\nx`, [{ language: 'js', code: 'x', closed: false }]],
    ['info string', `${fence}Python title="a"\n${fence}`, [{ language: 'python', code: '', closed: true }]],
    ['none', 'just text', []],
  ])('%s', (_, text, blocks) => expect(findCodeBlocks(text)).toEqual(blocks));
});
