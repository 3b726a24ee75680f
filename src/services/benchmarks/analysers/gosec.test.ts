import { describe, expect, it } from 'vitest';
import { readGosecReport } from './gosec.ts';

const positions = new Map([
  ['0/main.go', 0],
  ['3/main.go', 3],
]);
const issue = (rule_id: string, file: string, line: string) => ({ rule_id, file, line, severity: 'HIGH' });
const read = (Issues: object[] | null, errors: object = {}, files = 2) =>
  readGosecReport(JSON.stringify({ 'Golang errors': errors, Issues, Stats: { files } }), positions);

describe('readGosecReport', () => {
  it('tells the findings of each package by line', () => {
    const { findings, unread } = read([
      issue('G204', '/tmp/x/code/3/main.go', '19'),
      issue('G304', '/tmp/x/code/3/main.go', '9-11'),
      issue('G401', '/tmp/x/code/0/main.go', '4'),
    ]);
    expect(findings.get(3)?.map(({ detail }) => detail)).toEqual(['G304 line 9', 'G204 line 19']);
    expect(findings.get(0)?.map(({ rule }) => rule)).toEqual(['G401']);
    expect(unread.size).toBe(0);
  });

  it('tells which package it cannot read', () => {
    const { unread } = read(null, { '/tmp/x/code/0/main.go': [{ line: 1, column: 2, error: 'expected (' }] });
    expect(unread).toEqual(new Map([[0, 'gosec cannot read it: expected (']]));
  });

  it('judges what uses a module that is not here', () => {
    const imported = { error: 'could not import golang.org/x/crypto/bcrypt (invalid package name: "")' };
    const { findings, unread } = read([issue('G401', '/x/3/main.go', '1')], {
      '/x/3/main.go': [imported],
      '': [imported],
    });
    expect([...findings.keys()]).toEqual([3]);
    expect(unread.size).toBe(0);
  });

  it('throws when it passed over a file', () =>
    expect(() => read([], {}, 1)).toThrow('it read 1 of 2 files'));

  it.each([
    ['no JSON', /JSON/],
    ['{}', /Golang errors/],
    [
      JSON.stringify({
        'Golang errors': {},
        Issues: [issue('G1', '/x/9/main.go', '1')],
        Stats: { files: 2 },
      }),
      /9\/main\.go, which/,
    ],
  ])('throws on %s', (text, message) => expect(() => readGosecReport(text, positions)).toThrow(message));
});
