/** docs/cli.md names every command, and every option where its command stands. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exit.ts';
import { createProgram } from '../../src/cli/program/index.ts';
import { projectDir } from '../chain/stack.ts';

const page = await readFile(join(projectDir, 'docs/cli.md'), 'utf8');
const commands = commandsOf(createProgram(), '');

function commandsOf(command: Command, path: string): { readonly name: string; readonly command: Command }[] {
  const name = path === '' ? command.name() : `${path} ${command.name()}`;
  const inner = command.commands.flatMap((one) => commandsOf(one, name));
  return path === '' ? inner : [{ name, command }, ...inner];
}

describe('docs/cli.md', () => {
  it.each(commands)('$name', ({ name, command }) => {
    const { registeredArguments: given, options, commands: inner } = command;
    // A group without work of its own is told by its commands.
    if (inner.length > 0 && !page.includes(`\`${name}\``)) return;
    const line =
      page.split('\n').find((text) => new RegExp(`^(?:\\| )?\`${name}(?: [<[][^\`]*)?\``, 'u').test(text)) ??
      '';
    expect(line, `a line that begins with \`${name}\``).not.toBe('');
    const isSaidOfAll = /^secpi (?:schedule|artifacts) /u.test(name);
    const names = [
      ...given.map((argument) => argument.name()),
      ...options.flatMap(({ long }) => (typeof long === 'string' ? [`\`${long}\``] : [])),
    ].filter((word) => !(isSaidOfAll && word === '`--json`'));
    expect(names.filter((word) => !line.includes(word))).toEqual([]);
  });

  it('has no command that is gone', () => {
    const named = [...page.matchAll(/^(?:\| )?`(secpi [a-z ]+[a-z])/gmu)].map(([, name]) => name);
    expect(named.filter((name) => !commands.some((known) => known.name === name))).toEqual([]);
  });

  it('tells the exit codes', () => {
    for (const code of Object.values(exitCodes)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, 'mu'));
  });
});
