/**
 * Years of nights, drawn by chance: how often equal models raise an alarm, and how often a drop is found, beside what
 * the report says of it. `node bench/monitor/year.ts [years] [tasks] [samples a task] [baseline nights]`
 */
import { clopperPearson } from '../../src/services/metrics/index.ts';
import { alphaOf, type LookPlan } from '../../src/services/monitor/judge.ts';
import { powerOf } from '../../src/services/monitor/power.ts';
import { simulateYears, type SimulatedYears } from '../../src/services/monitor/simulate.ts';

const DROPS = [0.05, 0.1, 0.15, 0.2, 0.25];
/** A drop needs no year to be found. */
const DROP_YEARS = 1000;

const [years = 1000, tasks = 20, samplesPerTask = 10, baselineNights = 3] = process.argv.slice(2).map(Number);
if (
  ![years, tasks, samplesPerTask, baselineNights].every((n) => Number.isSafeInteger(n) && n > 0) ||
  tasks < 2
)
  throw new RangeError(
    'years, tasks (at least 2), samples a task and baseline nights are positive whole numbers',
  );

const plan: LookPlan = {
  monitor: { falseAlarmRate: 0.05, horizonNights: 365, windowNights: 7 },
  benchmarks: 1,
};
/** From tasks that hardly ever succeed to tasks that nearly always do; half on average. */
const rates = Array.from({ length: tasks }, (_, task) => 0.05 + (0.9 * task) / (tasks - 1));
const design = { rates, samplesPerTask, baselineNights, plan } satisfies Partial<SimulatedYears>;

const began = performance.now();
const { falseAlarms } = simulateYears({ ...design, years, nights: 365, drop: null, seed: 1 });
console.log(
  `${tasks} tasks of ${samplesPerTask} samples, a baseline of ${baselineNights} nights, ${((performance.now() - began) / 1000).toFixed(0)} s`,
);
console.log(`years with any alarm of equal models: ${share(falseAlarms, years)}; stated: at most 5 %`);
console.log('\ndrop in points   found the same night   said   found within 7 nights');
for (const drop of DROPS) {
  const found = simulateYears({
    ...design,
    years: DROP_YEARS,
    nights: 7,
    drop: { night: 0, part: drop / 0.5 },
    seed: 2,
  });
  const said = powerOf({ ...design, lookNights: 1, alpha: alphaOf(plan) }, drop);
  console.log(
    `${String(drop * 100).padStart(14)}   ${share(found.sameNight, DROP_YEARS).padEnd(20)}   ${said.toFixed(2)}   ${share(found.withinWindow, DROP_YEARS)}`,
  );
}

function share(count: number, n: number): string {
  const { low, high } = clopperPearson(count, n, 0.95);
  const percent = (value: number): string => (value * 100).toFixed(1);
  return `${percent(count / n)} % [${percent(low)}, ${percent(high)}]`;
}
