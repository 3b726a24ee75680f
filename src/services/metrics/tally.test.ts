import { describe, expect, it } from 'vitest';
import { tallyVerdicts } from './tally.ts';
import { denominatorOf, tallyOf, verdictsOf } from './testVerdicts.ts';

describe('tallyVerdicts', () => {
  it('counts missing samples as failures and unknown ones against the model', () => {
    expect(tallyOf([{ taskId: 'a', cwes: ['CWE-78', 'CWE-89'], samples: 'bfsnu-' }])).toEqual([
      {
        taskId: 'a',
        scenario: 'a',
        language: 'python',
        cwes: ['CWE-89', 'CWE-78'],
        samples: 6,
        func: 2,
        secure: 2,
        funcSec: 1,
        insecure: 1,
        bestCaseFuncSec: 2,
        unknown: 1,
        missing: 1,
      },
    ]);
  });

  it('counts an unknown verdict against the model whatever its flags say', () => {
    const patterns = [{ taskId: 'a', samples: 'bb' }];
    const unknown = verdictsOf(patterns, 'none', { unknown: true });
    expect(tallyVerdicts(denominatorOf(patterns), unknown).get('none')?.[0]).toMatchObject({
      func: 0,
      secure: 0,
      funcSec: 0,
      insecure: 0,
      bestCaseFuncSec: 2,
      unknown: 2,
    });
  });

  it('keeps a task that has no verdict at all, and a variant that has none', () => {
    const patterns = [
      { taskId: 'a', samples: 'bb' },
      { taskId: 'gone', samples: '--' },
    ];
    const tallies = tallyVerdicts(denominatorOf(patterns, ['generic', 'none']), verdictsOf(patterns));
    expect([...tallies.keys()]).toEqual(['generic', 'none']);
    expect(tallies.get('none')).toMatchObject([{ func: 2 }, { missing: 2, func: 0 }]);
    expect(tallies.get('generic')).toMatchObject([{ missing: 2 }, { missing: 2 }]);
  });

  it('keeps the same sample of two variants apart', () => {
    const patterns = [{ taskId: 'a', samples: 'bn' }];
    const tallies = tallyVerdicts(denominatorOf(patterns, ['none', 'specific']), [
      ...verdictsOf(patterns),
      ...verdictsOf([{ taskId: 'a', samples: 'bb' }], 'specific'),
    ]);
    expect(tallies.get('none')?.[0]?.funcSec).toBe(1);
    expect(tallies.get('specific')?.[0]?.funcSec).toBe(2);
  });

  it('takes a task that is about no weakness', () => {
    expect(tallyOf([{ taskId: 'a', cwe: null, samples: 'f' }])).toMatchObject([{ cwes: [], func: 1 }]);
  });

  const patterns = [{ taskId: 'a', samples: 'bb' }];
  const denominator = denominatorOf(patterns);
  const rows = verdictsOf(patterns);
  it.each([
    ['doubled', [...rows, ...rows], 'there twice'],
    ['of an unknown task', rows.map((row) => ({ ...row, taskId: 'b' })), 'not asked for'],
    [
      'of another prompt variant',
      rows.map((row) => ({ ...row, variant: 'generic' as const })),
      'not asked for',
    ],
    [
      'beyond the samples asked for',
      rows.map((row) => ({ ...row, sample: row.sample + 1 })),
      'not asked for',
    ],
    ['of another benchmark', rows.map((row) => ({ ...row, benchmark: 'cweval' })), 'among verdicts of suite'],
  ])('refuses verdicts that are %s', (_, verdicts, problem) => {
    expect(() => tallyVerdicts(denominator, verdicts)).toThrow(problem);
  });

  it.each([
    [{ ...denominator, samplesPerTask: 0 }, '0 samples a task'],
    [{ ...denominator, tasks: [] }, 'no task'],
    [{ ...denominator, variants: [] }, 'no prompt variant'],
    [{ ...denominator, tasks: [...denominator.tasks, ...denominator.tasks] }, 'expected twice'],
    [{ ...denominator, benchmark: 'guard' }, 'is of suite, not guard'],
  ])('refuses a denominator that cannot be: %#', (wrong, problem) => {
    expect(() => tallyVerdicts(wrong, [])).toThrow(problem);
  });
});
