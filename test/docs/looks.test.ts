/**
 * What the docs show and only looks (or checks a file) is run as it stands, in whichever page: on a real stack on which a
 * run `mine` is done. What starts work of hours, needs a GPU, or changes what others would look at, is parsed only.
 */
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInputFile } from '../../src/cli/recipeFile.ts';
import { mapLimit } from '../../src/services/store/parallel.ts';
import { projectDir, pythonPath, startTestStack, type TestStack } from '../chain/stack.ts';
import { runAsShown } from './session.ts';
import { shownCommands, type Shown } from './shell.ts';

const LOOKS = [
  /^npx secpi validate /u,
  /^npx secpi completions \w+$/u,
  /^npx secpi traces mine (?!--export)/u,
  /^npx secpi runs(?! follow)/u,
  /^npx secpi models$/u,
  /^npx secpi schedule list$/u,
  /^npx secpi artifacts (?:ls|verify|gc)\b(?!.*--delete)/u,
  /^temporal workflow (?:query|describe|result|show) --workflow-id mine\b/u,
  /^temporal workflow (?:list|count) /u,
  /^temporal task-queue describe /u,
];
/** The session has its own test, and its runs are not here. */
const ELSEWHERE = 'docs/temporal-cli.md';
const AT_ONCE = 3;

const shown = (await shownCommands()).filter(({ page }) => page !== ELSEWHERE);
const looks = [...new Map(shown.map((command) => [withoutComment(command.text), command])).entries()]
  .filter(([text]) => LOOKS.some((look) => look.test(text)) && !text.includes('…') && !/[>|]/u.test(text))
  .map(([text, command]) => ({ text, command: { ...command, text, output: [] } satisfies Shown }));

function withoutComment(text: string): string {
  return text.replace(/\s+#.*$/u, '').trim();
}

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker(['control', 'data', 'sandbox']);
  await stack.startByCli(
    'filterDataset',
    'mine',
    await readInputFile(join(projectDir, 'recipes/stages/filter.json')),
  );
  await stack.client.workflow.getHandle('mine').result();
});
afterAll(async () => await stack?.stop());

it('every command that only looks does so', async () => {
  expect(looks.length).toBeGreaterThan(30);
  const env = { ...stack.env, PATH: [dirname(pythonPath()), stack.env['PATH']].join(delimiter) };
  const failures: string[] = [];
  await mapLimit(looks, AT_ONCE, async ({ command }) => {
    await runAsShown(command, { env, timeoutMs: 60_000 }).catch((error: unknown) =>
      failures.push(String(error)),
    );
  });
  expect(failures).toEqual([]);
}, 240_000);
