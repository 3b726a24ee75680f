/** What may follow what on the command line, read from the program itself: a new command is completed without more work. */
import type { Command, Option } from 'commander';

export interface Word {
  readonly text: string;
  /** One line, without quotes that a shell could stumble over. */
  readonly description: string;
}

export interface CommandWords {
  /** "" is the program itself, "models show" a command of a command. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
  /** Values of arguments that are chosen from a list. */
  readonly choices: readonly string[];
  /** By option: its values, where they are chosen from a list. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

const MAX_DESCRIPTION = 70;

export function wordsOf(
  command: Command,
  path: readonly string[] = [],
  inherited: readonly Option[] = [],
): CommandWords[] {
  // What stands at a command may stand after its own commands as well.
  const options = [...inherited, ...command.options.filter(({ hidden }) => !hidden)];
  const own: CommandWords = {
    path: path.join(' '),
    commands: command.commands.map((child) => ({
      text: child.name(),
      description: short(child.description()),
    })),
    options: [
      ...options.map(({ long, description }) => ({ text: long ?? '', description: short(description) })),
      { text: '--help', description: 'help with examples' },
    ],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    values: new Map(
      options.flatMap(({ long, argChoices }) => (long && argChoices ? [[long, argChoices]] : [])),
    ),
  };
  return [own, ...command.commands.flatMap((child) => wordsOf(child, [...path, child.name()], options))];
}

function short(text: string): string {
  const plain = text.replaceAll(/["'`$\\:[\]]/gu, '').replaceAll(/\s+/gu, ' ');
  return plain.length <= MAX_DESCRIPTION ? plain : `${plain.slice(0, MAX_DESCRIPTION - 1)}…`;
}
