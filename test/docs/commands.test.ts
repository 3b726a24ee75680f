/**
 * Every command that the docs show is one that the programs take: its options exist, its names are known, and the files
 * that it names are there and valid. Those of temporal-cli.md are run besides (temporalCli.test.ts).
 */
import { describe, expect, it } from 'vitest';
import { problemOf } from './checkCommand.ts';
import { docPages, scan } from './markdown.ts';
import { shownCommands } from './shell.ts';

const commands = (await shownCommands()).map(({ page, line, text }) => ({ at: `${page}:${line}`, text }));

/** `npx secpi …` and `temporal …` within sentences, but for lines with something left out or to choose. */
const spans = [...(await docPages())].flatMap(([page, markdown]) =>
  scan(markdown).prose.flatMap(({ text: line, number }) =>
    [...line.matchAll(/`((?:npx secpi|temporal) [^`]+)`/gu)].flatMap(([, text = '']) =>
      /…|\[/u.test(text) ? [] : [{ at: `${page}:${number}`, text }],
    ),
  ),
);

describe('the docs', () => {
  it('show commands, on their own and within sentences', () => {
    expect(commands.length).toBeGreaterThan(150);
    expect(spans.length).toBeGreaterThan(20);
  });

  it.each(commands)('$at $text', async ({ text }) => {
    expect(await problemOf(text, 'fence')).toBeNull();
  });

  it.each(spans)('$at `$text`', async ({ text }) => {
    expect(await problemOf(text, 'span')).toBeNull();
  });
});

describe('what would not work', () => {
  it.each([
    ['npx secpi nonsense', /too many arguments|unknown command/u],
    ['npx secpi run', /missing required argument/u],
    ['npx secpi run recipes/quick.json --nonsense', /unknown option/u],
    ['npx secpi validate recipes/quick.json --type sweep', /RECIPE_INVALID/u],
    ['npx secpi validate recipes/nonsense.json', /cannot be read/u],
    ['npm run nonsense', /no script nonsense/u],
    ['curl example.com', /none of the programs/u],
    ['temporal workflow nonsense --workflow-id mine', /no command temporal workflow nonsense/u],
    ['temporal workflow result --nonsense mine', /knows no --nonsense/u],
    ['temporal workflow query --workflow-id mine --type nonsense', /no query nonsense/u],
    ['temporal workflow update execute --workflow-id mine --name nonsense', /no update nonsense/u],
    ['temporal workflow start --type nonsense --task-queue secpi', /"nonsense" is no workflow type/u],
    ['temporal workflow start --type secpi --task-queue nonsense', /the queue of workflows is secpi/u],
    ['temporal workflow list --query "SecpiNonsense = 1"', /no search attribute SecpiNonsense/u],
  ])('%s is refused', async (text, problem) => {
    expect(await problemOf(text, 'fence')).toMatch(problem);
  });
});
