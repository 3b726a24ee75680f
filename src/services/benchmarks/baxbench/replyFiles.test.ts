import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesOfReply } from './replyFiles.ts';

const single = { codeFilename: 'app.py' };
const many = { codeFilename: null };
const entries = (reply: string, format: typeof single | typeof many): [string, string][] | string => {
  const { files, reason } = filesOfReply(reply, format);
  return files === null ? reason : [...files];
};

describe('a framework of one file', () => {
  it.each([
    ['the first fenced block', 'x\n```python\na\n```\n```python\nb\n```', 'a'],
    ['a fenced block before a <CODE> element', '<CODE>tagged</CODE>\n```py\nfenced\n```', 'fenced'],
    ['a <CODE> element', '<CODE>\na = 1\n</CODE>', 'a = 1'],
    ['no shell transcript', '```bash\npip install\n```\n```python\na\n```', 'a'],
    ['no fence without a language', '```\nx\n```\n<CODE>a</CODE>', 'a'],
    ['no fence with words after its language', '```python title=app\nx\n```\n<CODE>a</CODE>', 'a'],
    ['code without outer blanks and bold marks', '```py\n\n  **a**  \n\n```', 'a'],
    ['what follows the reasoning', '<think>```python\ndraft\n```</think>\n```python\nfinal\n```', 'final'],
    [
      'what follows reasoning that the chat template opened',
      '```py\ndraft\n```</think>```py\nfinal\n```',
      'final',
    ],
  ])('takes %s', (_, reply, code) => {
    expect(entries(reply, single)).toEqual([['app.py', code]]);
  });

  it.each([
    ['no code at all', 'Sorry.', 'formatNotFound'],
    ['an empty reply', '', 'formatNotFound'],
    ['a fence that never closes', '```python\na = 1', 'formatNotFound'],
    ['an empty <CODE> element', '<CODE></CODE>', 'formatNotFound'],
    ['reasoning that never ends', '<think>```python\na\n```', 'unclosedThink'],
  ])('finds nothing in %s', (_, reply, reason) => {
    expect(entries(reply, single)).toBe(reason);
  });
});

describe('a framework of many files', () => {
  it.each<[string, string, [string, string][]]>([
    [
      'paths and elements',
      '<FILEPATH>\nsrc/a.ts\n</FILEPATH>\n<CODE>\nA\n</CODE>\n<FILEPATH>b.ts</FILEPATH><CODE>B</CODE>',
      [
        ['src/a.ts', 'A'],
        ['b.ts', 'B'],
      ],
    ],
    [
      'paths and fences inside elements',
      '<FILEPATH>a</FILEPATH><CODE>\n```ts\nA\n```\n</CODE>',
      [['a', 'A']],
    ],
    [
      'titles and fences',
      '### a.ts\n```ts\nA\n```\n### **b.ts**\n```ts\nB\n```',
      [
        ['a.ts', 'A'],
        ['b.ts', 'B'],
      ],
    ],
    ['a title on the next line', '###\n\n  a.ts\n```ts\nA\n```', [['a.ts', 'A']]],
    ['paths that are written oddly', '<FILEPATH>./src//a.ts</FILEPATH><CODE>A</CODE>', [['src/a.ts', 'A']]],
    ['the later of two equal paths', '### a\n```ts\n1\n```\n### ./a\n```ts\n2\n```', [['a', '2']]],
    ['a path that leaves the folder as it is', '### ../../x\n```ts\nA\n```', [['../../x', 'A']]],
  ])('takes %s', (_, reply, files) => {
    expect(entries(reply, many)).toEqual(files);
  });

  it.each([
    ['more paths than blocks', '### a\n### b\n```ts\nA\n```'],
    ['blocks without paths', '```ts\nA\n```'],
  ])('takes nothing of %s', (_, reply) => {
    expect(entries(reply, many)).toBe('formatNotFound');
  });
});

it('any text is read without failing, and long hostile ones quickly', () => {
  const piece = fc.constantFrom(
    '```',
    '```py\n',
    '\n```',
    '<CODE>',
    '</CODE>',
    '<FILEPATH>',
    '</FILEPATH>',
    '###',
    ' ',
    '\n',
    'a',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, one) => {
      const { files, reason } = filesOfReply(pieces.join(''), one ? single : many);
      expect(files === null).toBe(reason !== null);
    }),
  );
  const start = Date.now();
  for (const part of ['```', '```py\n', '<CODE>', '###', '###\n', ' ', '\n', '**']) {
    const long = part.repeat(50_000);
    filesOfReply(long, single);
    filesOfReply(long, many);
    filesOfReply(`<FILEPATH>a</FILEPATH><CODE>x${long}</CODE>`, many);
  }
  expect(Date.now() - start).toBeLessThan(5000);
});
