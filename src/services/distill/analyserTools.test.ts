import { describe, expect, it } from 'vitest';
import { BANDIT, FLAWFINDER } from './analyserTools.ts';

const positions = new Map([
  ['0.py', 0],
  ['7.py', 7],
  ['3.c', 3],
]);

describe('BANDIT.read', () => {
  const result = (filename: string, test_id: string, line_number: number) => ({
    filename: `/tmp/x/code/${filename}`,
    test_id,
    test_name: `name_of_${test_id}`,
    line_number,
  });
  const read = (errors: object[], results: object[]) =>
    BANDIT.read(JSON.stringify({ errors, results }), positions);

  it('tells the findings of each file by line', () => {
    const results = [result('7.py', 'B602', 9), result('7.py', 'B307', 2), result('0.py', 'B608', 1)];
    expect(read([], results).findings).toEqual(
      new Map([
        [
          7,
          [
            { rule: 'B307', detail: 'B307 name_of_B307 line 2' },
            { rule: 'B602', detail: 'B602 name_of_B602 line 9' },
          ],
        ],
        [0, [{ rule: 'B608', detail: 'B608 name_of_B608 line 1' }]],
      ]),
    );
  });

  it('lets pass what flags every use of an interface', () => {
    expect(read([], [result('0.py', 'B314', 1), result('0.py', 'B310', 2)]).findings.size).toBe(0);
    const { findings } = read([], [result('0.py', 'B314', 1), result('0.py', 'B301', 2)]);
    expect(findings.get(0)?.map(({ rule }) => rule)).toEqual(['B301']);
  });

  it('tells which file it cannot read', () => {
    const { unread } = read([{ filename: '/tmp/x/code/0.py', reason: 'syntax error' }], []);
    expect(unread).toEqual(new Map([[0, 'bandit cannot read it: syntax error']]));
  });

  it.each([
    ['no JSON', /JSON/],
    ['{}', /results/],
    [JSON.stringify({ errors: [], results: [result('9.py', 'B1', 1)] }), /9\.py, which is not among/],
  ])('throws on %s', (report, message) => expect(() => BANDIT.read(report, positions)).toThrow(message));
});

describe('FLAWFINDER.read', () => {
  const result = (rank: number, line: number) => ({
    ruleId: 'FF1014',
    rank,
    message: { text: 'buffer/gets:Does not check for buffer overflows: at all (CWE-120, CWE-20).' },
    locations: [
      { physicalLocation: { artifactLocation: { uri: '/tmp/x/code/3.c' }, region: { startLine: line } } },
    ],
  });
  const read = (results: object[]) => FLAWFINDER.read(JSON.stringify({ runs: [{ results }] }), positions);

  it.each([
    [0.2, 0],
    [0.4, 0],
    [0.6000000000000001, 0],
    [0.8, 1],
    [1, 1],
  ])('rank %s: %s findings', (rank, findings) =>
    expect(read([result(rank, 4)]).findings.size).toBe(findings),
  );

  it('tells rule, name and line', () => {
    expect(read([result(1, 8), result(1, 4)]).findings.get(3)?.[0]?.detail).toBe('FF1014 buffer/gets line 4');
  });
});
