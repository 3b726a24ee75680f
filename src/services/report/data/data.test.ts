import { describe, expect, it } from 'vitest';
import { dataSummarySchema } from '../../../contract/summary.ts';
import { measureAgreement } from '../../filter/calibrate.ts';
import { seededRandom } from '../../metrics/random.ts';
import { draw, shareOut } from './collect.ts';
import { dataSummaryOf } from './summarise.ts';

describe('shareOut', () => {
  it.each([
    [[10, 20], 500, [10, 20]],
    [[1_000_000, 3, 1_000_000], 500, [248, 3, 249]],
    [[400, 400], 500, [250, 250]],
    [[0, 5], 3, [0, 3]],
    [[], 500, []],
  ])('%j in %i places: %j', (sizes, places, shares) => {
    expect(shareOut(sizes, places)).toEqual(shares);
  });
});

describe('draw', () => {
  it('takes all where there are few', () => {
    expect(draw(3, 5, seededRandom(1))).toEqual([0, 1, 2]);
  });

  it('takes distinct positions, ascending, the same for the same seed', () => {
    const drawn = draw(1_000_000, 200, seededRandom(7));
    expect(new Set(drawn).size).toBe(200);
    expect(drawn.every((position) => position >= 0 && position < 1_000_000)).toBe(true);
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
    expect(draw(1_000_000, 200, seededRandom(7))).toEqual(drawn);
  });

  it('gives every position the same chance', () => {
    const random = seededRandom(3);
    const hits = Array.from({ length: 10 }, () => 0);
    for (let round = 0; round < 20_000; round += 1)
      for (const position of draw(10, 3, random)) hits[position] = (hits[position] ?? 0) + 1;
    // 6,000 each are expected, with a standard deviation of 65.
    expect(Math.min(...hits)).toBeGreaterThan(5700);
    expect(Math.max(...hits)).toBeLessThan(6300);
  });
});

describe('dataSummaryOf', () => {
  const agreement = measureAgreement([
    { labelled: true, said: true },
    { labelled: false, said: true },
    { labelled: true, said: false },
  ]);

  it('sorts rejections by how frequent they are, and keeps the calibration', () => {
    const summary = dataSummaryOf(
      {
        counts: { in: 10, kept: 4, dropped: 5, bad: 1 },
        facts: { calibration: JSON.parse(JSON.stringify({ ...agreement, unanswered: 2 })) },
      },
      {
        counts: { in: 4, accepted: 2, rejected: 4, 'rejected.truncated': 1, 'rejected.testsFail': 3 },
        facts: { cwes: { 'CWE-89': 2 }, languages: { python: 2 } },
      },
    );
    expect(dataSummarySchema.parse(summary)).toEqual(summary);
    expect(Object.entries(summary.rejections)).toEqual([
      ['testsFail', 3],
      ['truncated', 1],
    ]);
    expect(summary.distil).toEqual({ in: 4, accepted: 2, rejected: 4 });
    expect(summary.calibration).toMatchObject({ truePositives: 1, unanswered: 2, precision: { value: 0.5 } });
    expect(summary.cwes).toEqual({ 'CWE-89': 2 });
  });

  it('takes manifests of older versions', () => {
    expect(dataSummaryOf({ counts: {}, facts: {} }, { counts: {}, facts: {} })).toEqual({
      filter: {},
      distil: {},
      rejections: {},
      cwes: {},
      languages: {},
      calibration: null,
    });
  });
});
