import { describe, expect, it } from 'vitest';
import { findLeak, findSecurityText } from './leaks.ts';
import { INSTRUCTION_TEXTS, teacherMessages } from './prompt.ts';

describe('findLeak', () => {
  it.each([
    'The prompt says to be careful.',
    'Following the instructions above, step one.',
    'Weaknesses to consider: none.',
    'I was asked to consider CWE-89.',
    'I must not mention these steps.',
    'I should not mention that somebody cares about security.',
    'I came to these questions by myself.',
  ])('finds the talk of instructions in "%s"', (text) => expect(findLeak(text)).not.toBeNull());

  it.each([
    [
      'a whole step',
      'So: where exactly in this program it would appear, and what an attacker would do with it.',
    ],
    ['other case and punctuation', 'PREFERRING “the standard library” and constructs\n— that make! sense.'],
    [
      'the reminder of the ablation',
      'I answer with the complete program in one fenced code block, as always.',
    ],
  ])('finds a quotation: %s', (_, text) => expect(findLeak(text)).not.toBeNull());

  it.each([
    'The user gives a path.',
    'A SQL statement takes the instruction pointer.',
    'CWE-89 could appear where the name is joined into the query.',
    // Seven words of ours, which anybody might write.
    'I think about what an attacker would do with a name.',
    'A short plan of the program helps. The program follows.',
    'I will not mention the password.',
    'The error must not mention any account in the message.',
  ])('finds no leak in "%s"', (text) => expect(findLeak(text)).toBeNull());

  it('finds every line of our instructions that has eight words', () => {
    const lines = INSTRUCTION_TEXTS.join('\n').split('\n');
    const long = lines.filter((line) => (line.match(/[\p{L}\p{N}]+/gu) ?? []).length >= 8);
    expect(long.length).toBeGreaterThan(8);
    expect(long.filter((line) => findLeak(`Well. ${line}`) === null)).toEqual([]);
  });
});

describe('findSecurityText', () => {
  it.each([
    'Write f(x), avoiding CWE-89.',
    'Write secure code that reads a file.',
    'Read a file and prevent path traversal.',
    'Build the query without SQL injection.',
    'Follow OWASP and escape the names.',
    'Implement a login with all security best practices.',
    ...teacherMessages('Write f(x).', ['CWE-22'], 'structured')
      .concat(teacherMessages('Write f(x).', [], 'generic'))
      .flatMap(({ role, content }) => (role === 'system' ? [content] : [])),
  ])('finds it in "%s"', (task) => expect(findSecurityText(task)).not.toBeNull());

  it.each([
    'Write a login form that hashes the password with PBKDF2.',
    'Write escape(html) for names that users type in.',
    'Write a simulator of a security guard who walks through the rooms of a museum.',
    'Return the sandbox folder; raise ValueError for a path outside of it.',
    'Write a function that makes a secure random token of 32 letters.',
  ])('finds none in "%s"', (task) => expect(findSecurityText(task)).toBeNull());
});
