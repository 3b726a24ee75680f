/** What the commands' definitions share. Loads little, since --help needs it. */
import { InvalidArgumentError, type Command } from 'commander';

export const DEFAULT_OUT = 'out/latest';

/** The command's number is the exit code of the process. */
export async function finish(work: () => Promise<number> | number): Promise<void> {
  process.exitCode = await work();
}

/** Examples at the end of a command's help; what else is to be said stands below them. */
export function examples(lines: readonly string[], more = ''): string {
  const below = more === '' ? '' : `\n${more}\n`;
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}\n`).join('')}${below}`;
}

export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 3600))
    throw new InvalidArgumentError('It must be above 0, and at most 3600.');
  return seconds;
}

export function parsePort(text: string): number {
  const port = parseCount(text);
  if (port > 65_535) throw new InvalidArgumentError('It must be a port number.');
  return port;
}

/** A group of commands, added to the program. */
export type Register = (program: Command) => void;
