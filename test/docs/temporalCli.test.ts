/**
 * The session of docs/temporal-cli.md, command by command as it stands there, on a real stack; each prints what is shown.
 * Then what docs/nightly.md says of schedules.
 */
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDir, pythonPath, startTestStack, type TestStack } from '../chain/stack.ts';
import { runAsShown } from './session.ts';
import { commandsOf, type Shown } from './shell.ts';

const session = await commandsIn('docs/temporal-cli.md');
const schedules = (await commandsIn('docs/nightly.md')).filter(({ text }) =>
  /^(?:npx secpi|temporal) schedule /u.test(text),
);

async function commandsIn(
  page: string,
): Promise<{ readonly at: string; readonly text: string; readonly command: Shown }[]> {
  return commandsOf(page, await readFile(join(projectDir, page), 'utf8')).map((command) => ({
    at: `line ${command.line}`,
    text: command.text.replaceAll(/\s*\\\n\s*/gu, ' '),
    command,
  }));
}

let stack: TestStack;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data', 'sandbox']);
  const tools = dirname(pythonPath());
  env = { ...stack.env, PATH: [tools, stack.env['PATH']].join(delimiter) };
});
afterAll(async () => await stack?.stop());

describe('docs/temporal-cli.md', () => {
  it.each([
    'workflow start',
    'workflow query',
    'workflow update execute',
    'workflow describe',
    'workflow cancel',
    'workflow reset',
    'schedule create',
    'schedule trigger',
    'schedule describe',
  ])('shows temporal %s', (words) => {
    expect(session.some(({ text }) => text.startsWith(`temporal ${words} `))).toBe(true);
  });

  it.each(session)(
    '$at: $text',
    async ({ command }) => {
      await expect(runAsShown(command, { env, timeoutMs: 60_000 })).resolves.toBeUndefined();
    },
    90_000,
  );
});

describe('docs/nightly.md', () => {
  it('shows how a schedule is made, by both command lines', () => {
    for (const words of ['npx secpi schedule apply ', 'temporal schedule create '])
      expect(schedules.some(({ text }) => text.startsWith(words))).toBe(true);
  });

  // Nobody serves the model that the file names: a night that is triggered fails, and that is not the schedule's fault.
  it.each(schedules)(
    '$at: $text',
    async ({ command }) => {
      await expect(runAsShown(command, { env, timeoutMs: 60_000 })).resolves.toBeUndefined();
    },
    90_000,
  );
});
