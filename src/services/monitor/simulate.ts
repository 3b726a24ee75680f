/** Years of nights, drawn by chance: how often equal models raise an alarm, and how soon a drop is found. */
import { seededRandom, type Random } from '../metrics/random.ts';
import type { Count } from './shiftTest.ts';
import { judge, pooled, type LookPlan, type Pool } from './judge.ts';

export interface SimulatedYears {
  readonly years: number;
  readonly nights: number;
  /** Chance of success of each task. */
  readonly rates: readonly number[];
  readonly samplesPerTask: number;
  readonly baselineNights: number;
  readonly plan: LookPlan;
  /** From this night after the baseline on (0: the first), each chance is lower by this part; null for equal models. */
  readonly drop: { readonly night: number; readonly part: number } | null;
  readonly seed: number;
}

export interface YearsFound {
  /** Years with any alarm before the drop: lower, window lower or higher. */
  readonly falseAlarms: number;
  /** Years that found the drop the night it came, and within `windowNights` nights. */
  readonly sameNight: number;
  readonly withinWindow: number;
}

export function simulateYears(design: SimulatedYears): YearsFound {
  const random = seededRandom(design.seed);
  const found = { falseAlarms: 0, sameNight: 0, withinWindow: 0 };
  for (let year = 0; year < design.years; year += 1) {
    const { falseAlarm, foundAfter } = simulateYear(design, random);
    if (falseAlarm) found.falseAlarms += 1;
    if (foundAfter === 0) found.sameNight += 1;
    if (foundAfter < design.plan.monitor.windowNights) found.withinWindow += 1;
  }
  return found;
}

function simulateYear(
  { nights, rates, samplesPerTask, baselineNights, plan, drop }: SimulatedYears,
  random: Random,
): { falseAlarm: boolean; foundAfter: number } {
  const answers = (part: number): Count[] =>
    rates.map((rate) => ({
      samples: samplesPerTask,
      successes: draw(random, rate * part, samplesPerTask),
    }));
  const baseline = pooled(Array.from({ length: baselineNights }, () => answers(1)));
  const recent: Count[][] = [];
  for (let night = 0; night < nights; night += 1) {
    const dropped = drop !== null && night >= drop.night;
    recent.push(answers(dropped ? 1 - drop.part : 1));
    if (recent.length > plan.monitor.windowNights) recent.shift();
    const window: Pool | null = recent.length > 1 ? pooled(recent) : null;
    const { state } = judge(baseline, pooled(recent.slice(-1)), window, plan);
    if (state === 'steady') continue;
    if (!dropped) return { falseAlarm: true, foundAfter: Number.POSITIVE_INFINITY };
    if (state !== 'improved') return { falseAlarm: false, foundAfter: night - drop.night };
  }
  return { falseAlarm: false, foundAfter: Number.POSITIVE_INFINITY };
}

/** How many of `samples` draws succeed. */
export function draw(random: Random, rate: number, samples: number): number {
  let successes = 0;
  for (let i = 0; i < samples; i += 1) if (random() < rate) successes += 1;
  return successes;
}
