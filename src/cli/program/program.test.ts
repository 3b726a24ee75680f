/** What holds of every command. */
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from './index.ts';

/** With their names as they are typed. */
function all(command: Command, path: readonly string[] = []): (readonly [string, Command, boolean])[] {
  return command.commands.flatMap((child) => {
    const own = [...path, child.name()];
    return [[own.join(' '), child, takesJson(child)] as const, ...all(child, own)];
  });
}

function takesJson(command: Command | null): boolean {
  return (
    command !== null && (command.options.some(({ long }) => long === '--json') || takesJson(command.parent))
  );
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp();
  return text;
}

const commands = all(createProgram());

describe('every command', () => {
  test.each(commands)('%s has examples in its help', (name, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`^Examples?[\\s\\S]*secpi ${name}`, 'm'));
  });

  test('but those that print for people or for shells alone takes --json', () => {
    const without = commands.filter(([, , json]) => !json).map(([name]) => name);
    expect(without).toEqual(['demo', 'worker', 'teacher', 'completions']);
  });
});
