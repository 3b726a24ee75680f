import { describe, expect, it } from 'vitest';
import { isAsShown } from './session.ts';
import { commandsOf, simpleCommands } from './shell.ts';

const page = `# A page

\`\`\`console
$ temporal workflow start --type secpi \\
    --workflow-id mine
Running execution:
  RunId  …
$ echo 'a  b' | jq . > out.json   # kept
\`\`\`

\`\`\`json
{ "$ not": "a command" }
\`\`\`
`;

describe('a page', () => {
  it('shows commands with their output', () => {
    const [start, echo, ...others] = commandsOf('a.md', page);
    expect(others).toEqual([]);
    expect(start).toMatchObject({ line: 4, output: ['Running execution:', '  RunId  …'] });
    expect(simpleCommands(start?.text ?? '')).toEqual([
      ['temporal', 'workflow', 'start', '--type', 'secpi', '--workflow-id', 'mine'],
    ]);
    expect(simpleCommands(echo?.text ?? '')).toEqual([
      ['echo', 'a  b'],
      ['jq', '.'],
    ]);
  });
});

describe('what is printed', () => {
  it.each([
    [['a  …', 'b'], 'a 12 3\nb\n', true],
    [['a …'], 'a 1\nb\n', false],
    [['a', '…', 'z'], 'a\nb\n c\nz', true],
    [['a', '…', 'z'], 'a\nz', true],
    [['a', '…'], 'b\n', false],
    [['a (1)'], 'a (2)', false],
    [['  a   b '], 'a b\n\n', true],
  ])('%j and %j', (shown, printed, fits) => {
    expect(isAsShown(shown, printed)).toBe(fits);
  });
});
