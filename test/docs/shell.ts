/** Command lines as the docs show them, taken apart as a shell would. */
import { docPages, scan } from './markdown.ts';

export interface Shown {
  /** As it stands in the page, with its continuation lines. */
  readonly text: string;
  readonly page: string;
  readonly line: number;
  /** The lines below it, up to the next command: what it prints. Only of `console` fences. */
  readonly output: readonly string[];
}

/** Every command of the `console` and `sh` fences of a page. In `console` a command begins with `$ `. */
export function commandsOf(page: string, markdown: string): Shown[] {
  return scan(markdown).fences.flatMap(({ info, lines }): Shown[] => {
    const session = info === 'console';
    if (!session && info !== 'sh') return [];
    const shown: { text: string; line: number; output: string[]; open: boolean }[] = [];
    for (const { text, number } of lines) {
      const last = shown.at(-1);
      if (last?.open === true) {
        last.text += `\n${text}`;
        last.open = text.endsWith('\\');
      } else if (session ? text.startsWith('$ ') : text.trim() !== '' && !text.startsWith('#')) {
        const command = session ? text.slice(2) : text;
        shown.push({ text: command, line: number, output: [], open: command.endsWith('\\') });
      } else last?.output.push(text);
    }
    return shown.map(({ text, line, output }) => ({ text, page, line, output }));
  });
}

export async function shownCommands(): Promise<Shown[]> {
  return [...(await docPages())].flatMap(([page, markdown]) => commandsOf(page, markdown));
}

/** Words of each simple command of a line; quotes, comments, pipes and redirections as in a POSIX shell. */
export function simpleCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  let redirected = false;
  const end = (): void => {
    if (word !== null && !redirected) commands.at(-1)?.push(word);
    if (word !== null) redirected = false;
    word = null;
  };
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] ?? '';
    if (sign === '\\') {
      at += 1;
      if (line[at] !== '\n') word = (word ?? '') + (line[at] ?? '');
    } else if (sign === "'" || sign === '"') {
      const close = line.indexOf(sign, at + 1);
      if (close === -1) throw new Error(`an open ${sign} in: ${line}`);
      word = (word ?? '') + line.slice(at + 1, close);
      at = close;
    } else if (sign === '#' && word === null) break;
    else if (/\s/u.test(sign)) end();
    else if (sign === '>') {
      end();
      if (line[at + 1] === '>') at += 1;
      redirected = true;
    } else if (sign === '|' || sign === ';' || sign === '&') {
      end();
      if (line[at + 1] === sign) at += 1;
      commands.push([]);
    } else word = (word ?? '') + sign;
  }
  end();
  return commands.filter((words) => words.length > 0);
}

/** Without the variables that stand before the program. */
export function withoutAssignments(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !/^[A-Za-z_]\w*=/u.test(word));
  return first === -1 ? [] : words.slice(first);
}
