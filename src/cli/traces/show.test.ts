import { describe, expect, it } from 'vitest';
import { createCounter, showCounts } from './count.ts';
import { jsonLine, showEntry } from './show.ts';
import { entry } from './testEntry.ts';

const HOSTILE = 'a\u001b[2Jb\u0007\u009b\u202ec';

describe('showEntry', () => {
  it('is a head, the reason, and a line of each text', () => {
    expect(showEntry(entry(), { full: false })).toBe(
      [
        'kept          #17  row-17  python  CWE-89',
        '  reason      builds a query from user input',
        '  task        Write a function that finds a user.',
      ].join('\n'),
    );
  });

  it('says of a rejected answer which one it is and why', () => {
    const rejected = entry({ kind: 'rejected', sample: 2, reason: 'codeDoesNotParse', detail: 'line 3' });
    expect(showEntry(rejected, { full: false })).toMatch(
      /^rejected +#17 {2}row-17 {2}answer 2 {2}python {2}CWE-89\n {2}reason +codeDoesNotParse: line 3\n/,
    );
  });

  it('cuts a long text and says how long it is, or shows it whole', () => {
    const long = entry({ texts: [{ title: 'Task', text: `${'word '.repeat(1000)}\nlast line` }] });
    const short = showEntry(long, { full: false });
    expect(short).toContain('… (5,010 characters)');
    expect(short.length).toBeLessThan(500);
    expect(showEntry(long, { full: true })).toMatch(/── Task\n {2}word word .*\n {2}last line$/);
  });

  it.each([true, false])('lets no control character through (full: %s)', (full) => {
    const shown = showEntry(
      entry({
        id: HOSTILE,
        language: HOSTILE,
        reason: HOSTILE,
        detail: HOSTILE,
        texts: [{ title: 'Task', text: HOSTILE }],
      }),
      { full },
    );
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(shown.split('a\\x1b[2Jb\\x07\\x9b\\u202ec')).toHaveLength(6);
  });
});

describe('jsonLine', () => {
  it('holds the row as it is, in escapes of JSON where it could act', () => {
    const row = { id: HOSTILE, index: 1 };
    const line = jsonLine(entry({ row }));
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(JSON.parse(line)).toEqual({ kind: 'kept', stage: 'filter', ...row });
  });
});

describe('createCounter', () => {
  it('counts by kind, weakness, language and reason', () => {
    const counter = createCounter();
    counter.add(entry());
    counter.add(entry({ cwes: ['CWE-89', 'CWE-22'], language: null }));
    counter.add(entry({ kind: 'rejected', reason: 'truncated' }));
    counter.add(entry({ kind: 'dead', reason: 'the task has 20001 characters', cwes: [] }));
    counter.add(entry({ kind: 'dead', reason: 'the task has 7000000 characters', cwes: [] }));
    expect(counter.counts()).toEqual({
      rows: 5,
      byKind: { kept: 2, rejected: 1, dead: 2 },
      byCwe: { 'CWE-89': 3, 'CWE-22': 1 },
      byLanguage: { python: 4, unknown: 1 },
      byReason: { 'dead: the task has N characters': 2, 'rejected: truncated': 1 },
    });
    expect(showCounts(counter.counts())).toMatch(
      /^5 in all\n\nby kind\n +2 {2}kept\n +1 {2}rejected\n +2 {2}dead letter\n/,
    );
  });

  it('stays small whatever a dataset says', () => {
    const counter = createCounter();
    for (let index = 0; index < 20_000; index += 1)
      counter.add(entry({ language: `${'x'.repeat(500)}${index}` }));
    for (let index = 0; index < 20_000; index += 1) counter.add(entry({ language: `language ${index}` }));
    const { byLanguage } = counter.counts();
    expect(Object.keys(byLanguage).length).toBeLessThanOrEqual(5001);
    expect(Object.values(byLanguage).reduce((sum, n) => sum + n, 0)).toBe(40_000);
    expect(byLanguage['(others)']).toBeGreaterThan(10_000);
  });
});
