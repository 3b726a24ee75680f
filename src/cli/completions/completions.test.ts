/** The scripts as the shells read them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../program/index.ts';
import { completionScript } from './print.ts';
import { shells } from './shells.ts';
import { wordsOf } from './words.ts';

const words = wordsOf(createProgram());

/** What bash would offer after this line, whose last word is being typed. */
async function offered(line: readonly string[]): Promise<string[]> {
  const script = `${completionScript(words, 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _secpi; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', 'secpi', ...line]);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completions of bash', () => {
  test.each([
    [['va'], ['validate']],
    [['mod'], ['models']],
    [['models', 'sh'], ['show']],
    [
      ['models', 'show', '--'],
      ['--json', '--card', '--help'],
    ],
    [
      ['models', 'export', '--as', ''],
      ['merged', 'adapter', 'metrics'],
    ],
    [['validate', '--type', 'fine'], ['fineTune']],
    [['runs', '--state', 'f'], ['failed']],
    [['grade', 'c'], ['cweval']],
    [['validate', 'some-file'], []],
  ])('after %j', async (line, expected) => {
    expect(await offered(line)).toEqual(expected);
  });
});

test.each(shells)('%s is told every command and option', (shell) => {
  const script = completionScript(words, shell);
  for (const { path, options } of words) {
    expect(script).toContain(path);
    for (const { text } of options) expect(script).toContain(text.replace(/^--/u, ''));
  }
});

test('an option of a command is one of its own commands as well, and quotes of descriptions are gone', () => {
  const program = new Command('x').addCommand(
    new Command('a')
      .description("somebody's `code`: [it]")
      .addOption(new Option('--of <kind>').choices(['b', 'c']))
      .addCommand(new Command('d')),
  );
  const [root, , inner] = wordsOf(program);
  expect(root?.commands).toEqual([{ text: 'a', description: 'somebodys code it' }]);
  expect(inner?.path).toBe('a d');
  expect(inner?.values).toEqual(new Map([['--of', ['b', 'c']]]));
});
