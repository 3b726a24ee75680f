/** A series of nights for tests: a baseline, steady nights, a gap, another prompt, a regression. */
import type { Trend, TrendNight } from '../../contract/trend.ts';
import { seededRandom } from '../metrics/random.ts';

const FIRST_MS = Date.UTC(2026, 0, 1, 2, 17);
const DAY_MS = 86_400_000;

/** Nights 21 to 23 were missed; the last three are lower. */
export function testTrend(nights = 60): Trend {
  const random = seededRandom(4);
  const all = Array.from({ length: nights }, (_, day) => day).filter((day) => day < 21 || day > 23);
  const lines = all.map((day): TrendNight => {
    const isLow = day >= nights - 3;
    const value = Math.round((isLow ? 0.26 : 0.44) * 180 + 14 * (random() - 0.5)) / 180;
    const at = new Date(FIRST_MS + day * DAY_MS).toISOString();
    return {
      at,
      scheduledAt: at,
      model: day < 30 ? 'registry:coder@3' : 'registry:coder@4',
      score: { value, low: value - 0.07, high: value + 0.07, n: 180 },
      state: isLow ? 'regression' : day < 8 ? 'collecting' : day === 40 ? 'improved' : 'steady',
      isBaseline: day >= 5 && day < 8,
      isComparable: day >= 5,
      unknown: day === 12 ? 3 : 0,
    };
  });
  const at = (day: number): string => new Date(FIRST_MS + day * DAY_MS).toISOString();
  return {
    series: 'nightly <coder>',
    benchmarks: [
      {
        name: 'suite',
        metric: 'funcSec',
        decision: {
          state: 'regression',
          baseline: { nights: 3, score: { value: 0.44, low: 0.4, high: 0.48, n: 540 } },
          looks: [
            { name: 'tonight lower', nights: 1, value: 0.26, pValue: 3.1e-7, alpha: 4.6e-5 },
            { name: 'window lower', nights: 7, value: 0.36, pValue: 0.0012, alpha: 4.6e-5 },
            { name: 'tonight higher', nights: 1, value: 0.26, pValue: 1, alpha: 4.6e-5 },
          ],
          sentences: ['suite: func-and-secure fell to 26.0 % tonight.'],
        },
        nights: lines,
        gaps: [{ after: at(20), before: at(24), nights: 3 }],
        power: ['A drop of 10.0 points is found the same night with probability 0.41.'],
      },
    ],
  };
}
