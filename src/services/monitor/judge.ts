/** The looks of one night at counts: each tested at its share of the false-alarm rate. Pure. */
import type { Look, NightState } from '../../contract/trend.ts';
import type { MonitorSettings } from '../../contract/workflows.ts';
import { shiftTest, type Count } from './shiftTest.ts';

/** Counts of nights pooled, task by task in one order. */
export interface Pool {
  readonly nights: number;
  readonly counts: readonly Count[];
}

export interface LookPlan {
  readonly monitor: MonitorSettings;
  /** Benchmarks that are looked at each night. */
  readonly benchmarks: number;
}

/**
 * Bonferroni's inequality over all looks of the horizon: the chance of any false alarm is at most the sum of the looks'
 * chances, however they depend on each other. They do: all share the baseline, and windows overlap.
 */
export function alphaOf({ monitor, benchmarks }: LookPlan): number {
  const looks = monitor.windowNights > 1 ? 3 : 2;
  return monitor.falseAlarmRate / (looks * benchmarks * monitor.horizonNights);
}

export interface Judged {
  readonly state: Exclude<NightState, 'collecting'>;
  readonly looks: Look[];
}

/** `window` holds tonight too; null where it is tonight alone. */
export function judge(baseline: Pool, tonight: Pool, window: Pool | null, plan: LookPlan): Judged {
  const alpha = alphaOf(plan);
  const test = (pool: Pool) =>
    shiftTest(
      baseline.counts.map((count, task) => ({
        baseline: count,
        look: pool.counts[task] ?? { samples: 0, successes: 0 },
      })),
    );
  const alone = test(tonight);
  const common = { nights: tonight.nights, value: rateOf(tonight), alpha };
  const lower: Look = { name: 'tonight lower', ...common, pValue: alone.lower };
  const higher: Look = { name: 'tonight higher', ...common, pValue: alone.higher };
  const together: Look[] =
    window === null
      ? []
      : [
          {
            name: 'window lower',
            nights: window.nights,
            value: rateOf(window),
            alpha,
            pValue: test(window).lower,
          },
        ];
  const isHit = ({ pValue }: Look): boolean => pValue <= alpha;
  const state = isHit(lower)
    ? 'regression'
    : together.some(isHit)
      ? 'drift'
      : isHit(higher)
        ? 'improved'
        : 'steady';
  return { state, looks: [lower, ...together, higher] };
}

/** Share of successes over all samples. */
export function rateOf({ counts }: Pool): number {
  const { successes, samples } = totalOf(counts);
  return successes / samples;
}

export function totalOf(counts: readonly Count[]): Count {
  return counts.reduce(
    (sum, { samples, successes }) => ({
      samples: sum.samples + samples,
      successes: sum.successes + successes,
    }),
    { samples: 0, successes: 0 },
  );
}

/** The counts of several nights together. */
export function pooled(nights: readonly (readonly Count[])[]): Pool {
  const [first = []] = nights;
  return {
    nights: nights.length,
    counts: first.map((_, task) => totalOf(nights.flatMap((night) => night[task] ?? []))),
  };
}
