/** A console session of a page, run as it stands, and its output held against what was printed. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectDir } from '../chain/stack.ts';
import type { Shown } from './shell.ts';

/** What only looks may be asked again until it shows what the page shows: servers need a moment. */
const LOOKS = /^temporal (?:workflow (?:query|describe|list|count|show)|schedule (?:describe|list))\b/u;
const LOOK_AGAIN_MS = 500;

export interface Printed {
  readonly code: number;
  /** Standard output and standard error, as a terminal shows them. */
  readonly text: string;
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Runs the command until it fails or succeeds as shown, a look until it matches; fails with what it printed instead. */
export async function runAsShown(command: Shown, options: RunOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const printed = await run(command.text, options);
    const problem = differenceOf(command, printed);
    if (problem === null) return;
    if (!LOOKS.test(command.text) || Date.now() > deadline)
      throw new Error(
        `${command.page}:${command.line} ${command.text}\n${problem}; it printed (exit code ${printed.code}):\n${printed.text}`,
      );
    await sleep(LOOK_AGAIN_MS);
  }
}

async function run(text: string, { env, timeoutMs }: RunOptions): Promise<Printed> {
  return await new Promise((done, failed) => {
    execFile(
      'sh',
      ['-c', `exec 2>&1\n${text}`],
      { cwd: projectDir, env: { ...env }, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout) => {
        if (error === null) done({ code: 0, text: stdout });
        else if (typeof error.code === 'number') done({ code: error.code, text: stdout });
        else failed(new Error(`${text} did not end within ${timeoutMs} ms; it printed:\n${stdout}`));
      },
    );
  });
}

/** Null when the command did what the page shows. */
function differenceOf({ output }: Shown, { code, text }: Printed): string | null {
  const fails = output.some((line) => line.startsWith('Error'));
  if (fails !== (code !== 0)) return fails ? 'it should fail' : 'it should not fail';
  // Nothing is shown of it.
  if (output.every((line) => line.trim() === '')) return null;
  return isAsShown(output, text) ? null : 'the page shows something else';
}

/** `…` within a line is any text; a line of `…` alone is any lines. Blanks are as many as they like. */
export function isAsShown(output: readonly string[], printed: string): boolean {
  const source = linesOf(output.join('\n'))
    .map((line) => (line === '…' ? '(?:.*\\n)*' : `${line.split('…').map(escaped).join('.*')}\\n`))
    .join('');
  const text = linesOf(printed)
    .map((line) => `${line}\n`)
    .join('');
  return new RegExp(`^${source}$`, 'u').test(text);
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/gu, ' '))
    .filter((line) => line !== '');
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`);
}
