import { describe, expect, it } from 'vitest';
import { clopperPearson } from '../metrics/index.ts';
import { seededRandom } from '../metrics/random.ts';
import { decide } from './decide.ts';
import { alphaOf, type LookPlan } from './judge.ts';
import { powerOf } from './power.ts';
import { draw, simulateYears } from './simulate.ts';
import { testNight } from './testNights.ts';

const rates = [0.1, 0.3, 0.45, 0.55, 0.7, 0.9];
const samplesPerTask = 5;
const baselineNights = 3;
const plan: LookPlan = {
  monitor: { falseAlarmRate: 0.05, horizonNights: 365, windowNights: 7 },
  benchmarks: 1,
};
const design = { rates, samplesPerTask, baselineNights, plan };

describe('a year of nights', () => {
  it('of equal models raises no more alarms than stated, in 1,000 years', { timeout: 120_000 }, () => {
    const began = process.cpuUsage();
    const years = 1000;
    const { falseAlarms } = simulateYears({ ...design, years, nights: 365, drop: null, seed: 7 });
    const { user, system } = process.cpuUsage(began);
    const seconds = (user + system) / 1e6;
    console.log(
      `a year of equal models, 1,000 times: ${falseAlarms} years with any alarm (${((100 * falseAlarms) / years).toFixed(1)} %, stated 5 %), ${seconds.toFixed(1)} s of CPU`,
    );
    expect(falseAlarms / years).toBeLessThanOrEqual(plan.monitor.falseAlarmRate);
    // A test that never says anything would pass the line above.
    expect(falseAlarms).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(20);
  });

  it('at another stated rate raises as many as that allows, not more', () => {
    const loose = { ...plan, monitor: { ...plan.monitor, falseAlarmRate: 0.5, horizonNights: 60 } };
    const years = 300;
    const { falseAlarms } = simulateYears({
      ...design,
      plan: loose,
      years,
      nights: 60,
      drop: null,
      seed: 11,
    });
    expect(clopperPearson(falseAlarms, years, 0.999).low).toBeLessThanOrEqual(0.5);
    expect(falseAlarms / years).toBeGreaterThan(0.1);
  });

  it('keeps to the stated rate when it is decided night by night from the records', () => {
    const random = seededRandom(5);
    const years = 150;
    const nights = 40;
    const monitor = { falseAlarmRate: 0.4, horizonNights: nights, windowNights: 7 };
    let falseAlarms = 0;
    for (let year = 0; year < years; year += 1) {
      const history = Array.from({ length: nights + baselineNights }, (_, day) =>
        testNight(
          day,
          rates.map((rate) => draw(random, rate, 10)),
        ),
      );
      const states = history.map(
        (night, day) =>
          decide(history.slice(0, day), night, {
            baseline: { nights: baselineNights },
            monitor,
            benchmarks: 1,
          }).state,
      );
      expect(states.slice(0, baselineNights)).toEqual(Array(baselineNights).fill('collecting'));
      if (states.slice(baselineNights).some((state) => state !== 'steady')) falseAlarms += 1;
    }
    expect(clopperPearson(falseAlarms, years, 0.999).low).toBeLessThanOrEqual(monitor.falseAlarmRate);
    expect(falseAlarms).toBeGreaterThan(0);
  });

  it.each([
    { mean: 0.5, part: 0.5, tasks: 20, samples: 10 },
    { mean: 0.5, part: 0.3, tasks: 20, samples: 10 },
    { mean: 0.5, part: 0.2, tasks: 40, samples: 10 },
  ])(
    'with a drop by $part of its successes on $tasks tasks is found as often as the report says',
    ({ mean, part, tasks, samples }) => {
      const wide = Array.from({ length: tasks }, (_, task) => 0.1 + (0.8 * task) / (tasks - 1));
      const years = 300;
      const { sameNight, withinWindow } = simulateYears({
        ...design,
        rates: wide,
        samplesPerTask: samples,
        years,
        nights: 7,
        drop: { night: 0, part },
        seed: 3,
      });
      const said = powerOf(
        { rates: wide, samplesPerTask: samples, baselineNights, lookNights: 1, alpha: alphaOf(plan) },
        mean * part,
      );
      console.log(
        `a drop of ${(100 * mean * part).toFixed(0)} points on ${tasks} tasks of ${samples} samples: found the same night in ${((100 * sameNight) / years).toFixed(0)} % (said ${(100 * said).toFixed(0)} %), within 7 nights in ${((100 * withinWindow) / years).toFixed(0)} %`,
      );
      const { low, high } = clopperPearson(sameNight, years, 0.999);
      expect(said).toBeGreaterThan(low - 0.05);
      expect(said).toBeLessThan(high + 0.05);
      expect(withinWindow).toBeGreaterThanOrEqual(sameNight);
    },
  );
});
