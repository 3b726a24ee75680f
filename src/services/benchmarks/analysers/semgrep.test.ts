import { describe, expect, it } from 'vitest';
import { extensionsOf, readSemgrepReport } from './semgrep.ts';

const positions = new Map([
  ['0.js', 0],
  ['1.ts', 1],
  ['2.py', 2],
]);
const result = (check_id: string, path: string, line: number, severity: string) => ({
  check_id,
  path,
  start: { line, col: 1 },
  extra: { severity, message: 'x' },
});
const read = (results: object[], scanned: string[], errors: object[] = []) =>
  readSemgrepReport(JSON.stringify({ version: '1', results, errors, paths: { scanned } }), positions);

describe('readSemgrepReport', () => {
  it('tells the findings of medium severity and more, without the folders of the rules', () => {
    const { findings } = read(
      [
        result('home.rules.exec.generic_os_command', '/tmp/x/0.js', 9, 'ERROR'),
        result('home.rules.crypto.node_md5', '/tmp/x/0.js', 2, 'WARNING'),
        result('home.rules.generic.note', '/tmp/x/1.ts', 1, 'INFO'),
      ],
      ['/tmp/x/0.js', '/tmp/x/1.ts', '/tmp/x/2.py'],
    );
    expect([...findings.keys()]).toEqual([0]);
    expect(findings.get(0)?.map(({ detail }) => detail)).toEqual([
      'node_md5 line 2',
      'generic_os_command line 9',
    ]);
  });

  it('has not judged a file that no rule was tried on', () => {
    const { unread } = read([], ['/tmp/x/0.js', '/tmp/x/1.ts']);
    expect(unread).toEqual(new Map([[2, 'semgrep has no rule for its language']]));
  });

  it('tells a file that it cannot read, and lets warnings pass', () => {
    const scanned = ['/tmp/x/0.js', '/tmp/x/1.ts', '/tmp/x/2.py'];
    const { unread } = read([], scanned, [
      { path: '/tmp/x/0.js', type: 'Timeout', level: 'error' },
      { path: '/tmp/x/1.ts', type: ['PartialParsing', []], level: 'warn' },
      { type: 'Other', level: 'error' },
    ]);
    expect(unread).toEqual(new Map([[0, 'semgrep cannot read it']]));
  });

  it('throws on what is no report', () =>
    expect(() => readSemgrepReport('{}', positions)).toThrow(/results/));
});

describe('extensionsOf', () => {
  it.each([
    [
      'a block list',
      'rules:\n  - id: a\n    languages:\n      - javascript\n      - ts\n    severity: ERROR\n',
      { javascript: 'js', typescript: 'ts' },
    ],
    [
      'a flow list',
      'rules: [{id: a, languages: [python, "c++"], severity: ERROR}]',
      { python: 'py', 'c++': 'cpp' },
    ],
    ['other languages', 'languages: [ruby]\n', {}],
  ])('reads %s', (_, text, expected) => expect(extensionsOf([text])).toEqual(expected));

  it('takes rules of any language for all', () => {
    const all = extensionsOf(['languages: [generic]', 'languages: [go]']);
    expect(Object.keys(all).sort()).toEqual(['c', 'c++', 'go', 'javascript', 'python', 'typescript']);
  });
});
