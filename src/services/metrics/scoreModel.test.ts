import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupScoresSchema } from '../../contract/summary.ts';
import { defaultBootstrap } from './bootstrap.ts';
import { notMeasured, scoreGroup, scoreTries } from './scoreGroup.ts';
import { scoreModel } from './scoreModel.ts';
import { tallyVerdicts } from './tally.ts';
import { denominatorOf, tallyOf, verdictsOf } from './testVerdicts.ts';

const options = { ...defaultBootstrap, resamples: 500, k: 1 };
const both = 'functionAndSecurity';

// By hand: a = 3/4 func, 2/4 secure, 1/4 both; b = 1/4, 3/4, 1/4; c = 0, 0, 0 (one unknown, one missing).
const patterns = [
  { taskId: 'a', scenario: 'one', cwe: 'CWE-89', language: 'go', samples: 'bffs' },
  { taskId: 'b', scenario: 'one', cwe: 'CWE-22', cwes: ['CWE-89', 'CWE-400'], samples: 'bssn' },
  { taskId: 'c', scenario: 'two', cwe: 'CWE-22', samples: 'nnu-' },
];
const tallies = tallyVerdicts(denominatorOf(patterns, ['none', 'generic']), [
  ...verdictsOf(patterns),
  ...verdictsOf([{ taskId: 'a', samples: 'bbbb' }], 'generic'),
]);

describe('scoreGroup', () => {
  it('is the mean over tasks', () => {
    const all = scoreGroup(tallyOf(patterns), both, options);
    expect(all.func.value).toBeCloseTo((3 / 4 + 1 / 4 + 0) / 3, 12);
    expect(all.secure.value).toBeCloseTo((2 / 4 + 3 / 4 + 0) / 3, 12);
    expect(all.funcSec.value).toBeCloseTo((1 / 4 + 1 / 4 + 0) / 3, 12);
    expect(all.insecure?.value).toBeCloseTo((2 / 4 + 0 + 0) / 3, 12);
    expect(all.bestCaseFuncSec.value).toBeCloseTo((1 / 4 + 1 / 4 + 1 / 4) / 3, 12);
    expect(all.secRatio?.value).toBeCloseTo((1 / 4 + 1 / 4) / (3 / 4 + 1 / 4), 12);
    expect(all).toMatchObject({ samples: 12, tasks: 3, scenarios: 2, unknown: 1, missing: 1 });
    expect([all.func.n, all.insecure?.n, all.secRatio?.n]).toEqual([12, 12, 4]);
  });

  it('uses the unbiased estimator for k > 1, save for what would be shipped', () => {
    const two = scoreGroup(tallyOf([{ taskId: 'a', samples: 'bffn' }]), both, { ...options, k: 2 });
    expect(two.funcSec.value).toBeCloseTo(1 - 3 / 6, 12);
    expect(two.func.value).toBe(1);
    expect(two.insecure?.value).toBeCloseTo(2 / 4, 12);
  });

  it('says of a benchmark without security tests that nothing is known of security', () => {
    const scores = scoreGroup(tallyOf([{ taskId: 'a', cwe: null, samples: 'ffnu' }]), 'function', options);
    expect(scores.func.value).toBe(0.5);
    expect(scores).toMatchObject({
      secure: notMeasured,
      funcSec: notMeasured,
      bestCaseFuncSec: notMeasured,
      secRatio: null,
      insecure: null,
      exactIntervals: ['func'],
      unknown: 1,
    });
  });

  it('has no SecRatio where nothing is functional, and an exact interval', () => {
    const nothing = tallyOf(Array.from({ length: 14 }, (_, i) => ({ taskId: `t${i}`, samples: 'nn' })));
    const scores = scoreGroup(nothing, both, options);
    expect(scores.secRatio).toBeNull();
    expect(scores.exactIntervals).toEqual(['func', 'secure', 'funcSec', 'bestCaseFuncSec', 'insecure']);
    expect(scores.funcSec.high).toBeCloseTo(1 - 0.025 ** (1 / 14), 12);
  });

  const anyPatterns = fc.integer({ min: 1, max: 6 }).chain((n) =>
    fc
      .array(fc.tuple(fc.stringMatching(new RegExp(`^[bfsnu-]{${n}}$`)), fc.integer({ min: 0, max: 7 })), {
        minLength: 1,
        maxLength: 15,
      })
      .map((tasks) =>
        tasks.map(([samples, scenario], i) => ({ taskId: `t${i}`, scenario: `s${scenario}`, samples })),
      ),
  );

  it('keeps the laws of its numbers, whatever the verdicts', () => {
    fc.assert(
      fc.property(anyPatterns, (patterns) => {
        const scores = groupScoresSchema.parse(scoreGroup(tallyOf(patterns), both, options));
        expect(scores.funcSec.value).toBeLessThanOrEqual(
          Math.min(scores.func.value, scores.secure.value) + 1e-12,
        );
        expect(scores.bestCaseFuncSec.value).toBeGreaterThanOrEqual(scores.funcSec.value);
        expect(scores.insecure?.value).toBeCloseTo(scores.func.value - scores.funcSec.value, 12);
        for (const { value, low, high } of [scores.func, scores.funcSec, scores.secRatio ?? scores.func]) {
          expect(low).toBeLessThanOrEqual(value + 1e-9);
          expect(high).toBeGreaterThanOrEqual(value - 1e-9);
        }
        // The order in which tasks and verdicts come changes nothing.
        const reversed = tallyVerdicts(
          denominatorOf([...patterns].reverse()),
          verdictsOf([...patterns].reverse()).reverse(),
        );
        const again = scoreGroup(reversed.get('none') ?? [], both, options);
        for (const metric of ['func', 'secure', 'funcSec'] as const) {
          for (const part of ['value', 'low', 'high'] as const) {
            expect(again[metric][part]).toBeCloseTo(scores[metric][part], 9);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('scoreTries', () => {
  it('takes the usual k, the headline’s own and all samples', () => {
    const twelve = tallyOf([{ taskId: 'a', samples: 'bfsnbfsnnnnn' }]);
    const tries = scoreTries(twelve, both, { ...options, k: 3 });
    expect(tries.map(({ k }) => k)).toEqual([1, 3, 5, 10, 12]);
    // Two of twelve: 1 − C(10,5)/C(12,5) = 1 − 252/792.
    expect(tries[2]?.funcSec.value).toBeCloseTo(1 - 252 / 792, 12);
    expect(tries[4]?.funcSec.value).toBe(1);
  });

  it('never falls with more tries', () => {
    const tries = scoreTries(
      tallyOf(
        Array.from({ length: 9 }, (_, i) => ({
          taskId: `t${i}`,
          samples: 'bfsnnnnnnnn'.slice(i % 3) + 'n'.repeat(i % 3),
        })),
      ),
      both,
      options,
    );
    for (const metric of ['func', 'secure', 'funcSec'] as const) {
      const values = tries.map((one) => one[metric].value);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });

  it('leaves security out where it is not measured', () => {
    expect(scoreTries(tallyOf([{ taskId: 'a', samples: 'f' }]), 'function', options)).toMatchObject([
      { k: 1, func: { value: 1, n: 1 }, secure: notMeasured, funcSec: notMeasured },
    ]);
  });
});

describe('scoreModel', () => {
  it('splits by what was trained on: one seen weakness makes a task seen', () => {
    const { seen, heldOut, perCwe } = scoreModel(tallies, both, new Set(['CWE-89']), options);
    expect(seen).toMatchObject({ tasks: 2, samples: 8 });
    expect(heldOut).toMatchObject({ tasks: 1, samples: 4 });
    expect(perCwe.map(({ cwe, seen, tasks }) => [cwe, seen, tasks])).toEqual([
      ['CWE-22', false, 2],
      ['CWE-89', true, 2],
      ['CWE-400', false, 1],
    ]);
    expect(scoreModel(tallies, both, null, options)).toMatchObject({ seen: null, heldOut: null });
    expect(scoreModel(tallies, both, new Set(['CWE-416']), options).seen).toBeNull();
  });

  it('groups by family, language and prompt variant', () => {
    const { perFamily, perLanguage, perVariant, all } = scoreModel(tallies, both, null, options);
    expect(perFamily.map(({ name, tasks }) => [name, tasks])).toEqual([
      ['injection', 2],
      ['path', 2],
      ['resource', 1],
    ]);
    expect(perLanguage.map(({ name, tasks }) => [name, tasks])).toEqual([
      ['go', 1],
      ['python', 2],
    ]);
    expect(perVariant[0]).toEqual({ name: 'none', ...all });
    expect(perVariant[1]).toMatchObject({ name: 'generic', missing: 8, tasks: 3 });
    expect(perVariant[1]?.funcSec.value).toBeCloseTo(1 / 3, 12);
  });

  it('leaves a task that is about no weakness out of every group of weaknesses', () => {
    const plain = tallyVerdicts(
      denominatorOf([...patterns, { taskId: 'd', cwe: null, samples: 'bbbb' }]),
      verdictsOf(patterns),
    );
    const { all, seen, heldOut, perCwe } = scoreModel(plain, both, new Set(['CWE-89']), options);
    expect([all.tasks, seen?.tasks, heldOut?.tasks]).toEqual([4, 2, 1]);
    expect(perCwe).toHaveLength(3);
  });

  it('has no groups of weaknesses for a benchmark without security tests', () => {
    expect(scoreModel(tallies, 'function', new Set(['CWE-89']), options)).toMatchObject({
      seen: null,
      heldOut: null,
      perCwe: [],
      perFamily: [],
      perLanguage: [{ name: 'go' }, { name: 'python' }],
    });
  });
});
