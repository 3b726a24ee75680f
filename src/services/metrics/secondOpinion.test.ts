import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnalyserName } from '../../contract/benchmarkNames.ts';
import type { VerdictRow } from '../../contract/rows.ts';
import { defaultBootstrap } from './bootstrap.ts';
import { analyserAgreement, cohensKappa, esrLike } from './secondOpinion.ts';
import { tallyVerdicts } from './tally.ts';
import { denominatorOf, verdictsOf, type TaskPattern } from './testVerdicts.ts';

/** Findings by sample in order; `null` could not judge, `undefined` was not asked. */
function withFindings(
  rows: readonly VerdictRow[],
  name: AnalyserName,
  findings: readonly (number | null | undefined)[],
): VerdictRow[] {
  return rows.map((row, i) => {
    const found = findings[i];
    return found === undefined
      ? row
      : { ...row, opinions: [...row.opinions, { name, findings: found, rules: [] }] };
  });
}

describe('analyserAgreement', () => {
  it('counts functional samples that the analyser was asked about', () => {
    //                                                    b  b  f  f     b  n  s  u
    const rows = verdictsOf([{ taskId: 'a', samples: 'bbffbnsu' }]);
    const opinions = withFindings(rows, 'bandit', [0, 2, 1, 0, null, 3, 3, 3]);
    expect(analyserAgreement(withFindings(opinions, 'gosec', [undefined, undefined, undefined, 1]))).toEqual([
      {
        analyser: 'bandit',
        insecureFound: 1,
        insecureMissed: 1,
        secureFlagged: 1,
        secureClean: 1,
        noOpinion: 1,
        kappa: 0,
      },
      {
        analyser: 'gosec',
        insecureFound: 1,
        insecureMissed: 0,
        secureFlagged: 0,
        secureClean: 0,
        noOpinion: 0,
        kappa: null,
      },
    ]);
  });

  it('is empty where no analyser was asked', () => {
    expect(analyserAgreement(verdictsOf([{ taskId: 'a', samples: 'bf' }]))).toEqual([]);
  });
});

describe('cohensKappa', () => {
  const table = (a: number, b: number, c: number, d: number) => ({
    insecureFound: a,
    insecureMissed: b,
    secureFlagged: c,
    secureClean: d,
  });

  it.each([
    // pₒ = 35/50; pₑ = (25·30 + 25·20)/2500 = 0.5.
    [20, 5, 10, 15, 0.4],
    [10, 0, 0, 10, 1],
    [0, 10, 10, 0, -1],
    [4, 4, 4, 4, 0],
  ])('of %i %i %i %i is %d', (a, b, c, d, kappa) => {
    expect(cohensKappa(table(a, b, c, d))).toBeCloseTo(kappa, 12);
  });

  it('is nothing where one side never varies', () => {
    for (const cells of [table(0, 0, 0, 0), table(3, 4, 0, 0), table(0, 4, 0, 9), table(3, 0, 0, 0)]) {
      expect(cohensKappa(cells)).toBeNull();
    }
  });

  it('stays within −1 and 1, and does not mind which side is called which', () => {
    const count = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(count, count, count, count, (a, b, c, d) => {
        const kappa = cohensKappa(table(a, b, c, d));
        expect(Math.abs(kappa ?? 0)).toBeLessThanOrEqual(1);
        const turned = cohensKappa(table(a, c, b, d));
        expect(turned === null).toBe(kappa === null);
        expect(turned ?? 0).toBeCloseTo(kappa ?? 0, 12);
      }),
    );
  });
});

describe('esrLike', () => {
  const score = (patterns: readonly TaskPattern[], findings: readonly (number | null | undefined)[]) => {
    const rows = withFindings(verdictsOf(patterns), 'bandit', findings);
    const tallies = tallyVerdicts(denominatorOf(patterns), rows).get('none') ?? [];
    return esrLike(tallies, rows, defaultBootstrap);
  };

  it('is the share of samples that work and in which nothing was found', () => {
    const patterns = [
      { taskId: 'a', samples: 'bfn-' },
      { taskId: 'b', samples: 'ffbu' },
    ];
    // Of a: clean, found, does not work, missing. Of b: clean, not judged, not asked about, unknown.
    const esr = score(patterns, [0, 1, 0, 0, null, undefined, 0]);
    expect(esr?.value).toBeCloseTo((1 / 4 + 1 / 4) / 2, 12);
    expect(esr?.n).toBe(8);
  });

  it('leaves out languages that no analyser judges', () => {
    const patterns = [
      { taskId: 'a', samples: 'bb' },
      { taskId: 'b', samples: 'bb', language: 'typescript' },
    ];
    expect(score(patterns, [0, 0])).toMatchObject({ value: 1, n: 2 });
  });

  it('is nothing where none judged', () => {
    expect(score([{ taskId: 'a', samples: 'bb' }], [null, null])).toBeNull();
  });
});
