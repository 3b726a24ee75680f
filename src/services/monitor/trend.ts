/** A benchmark's nights as the report shows them. Pure. */
import type { BenchmarkTrend, TrendNight } from '../../contract/trend.ts';
import type { NightRecord } from '../../contract/workflows.ts';
import { percent } from '../report/words.ts';
import { baselineOf, comparableTo, type DecisionPlan } from './decide.ts';
import { gapsOf } from './gaps.ts';
import { alphaOf } from './judge.ts';
import { powerOf, smallestDrop, type PowerDesign } from './power.ts';

/** The drop that the report gives the chances of, in shares; half of the baseline where that is less. */
const STATED_DROP = 0.1;
const STATED_POWER = 0.8;

export interface TrendSettings extends DecisionPlan {
  readonly cadenceHours: number;
  readonly temperature: number;
}

/** `history`: the nights before, the oldest first. */
export function trendOf(
  history: readonly NightRecord[],
  tonight: NightRecord,
  plan: TrendSettings,
): BenchmarkTrend {
  const all = [...history, tonight];
  const comparable = new Set([...comparableTo(tonight, history, plan), tonight]);
  const baseline = new Set(baselineOf([...comparable], plan.baseline.nights));
  return {
    name: tonight.benchmark,
    metric: tonight.metric,
    decision: tonight.decision,
    nights: all.map((night): TrendNight => ({
      at: night.at,
      scheduledAt: night.scheduledAt,
      model: night.model,
      score: night.score,
      state: night.decision.state,
      isBaseline: baseline.has(night),
      isComparable: comparable.has(night),
      unknown: night.unknown,
    })),
    gaps: gapsOf(
      all.map(({ scheduledAt }) => scheduledAt),
      plan.cadenceHours,
    ),
    power: powerSentences([...baseline], tonight, plan),
  };
}

function powerSentences(
  baseline: readonly NightRecord[],
  tonight: NightRecord,
  { temperature, ...plan }: TrendSettings,
): string[] {
  const { falseAlarmRate, horizonNights, windowNights } = plan.monitor;
  const isCollecting = tonight.decision.state === 'collecting';
  const samples = tonight.tasks.reduce((sum, task) => sum + task.samples, 0);
  const night: PowerDesign = {
    rates: ratesOf(baseline),
    samplesPerTask: samples / tonight.tasks.length,
    // As it will be, as long as it is collected.
    baselineNights: isCollecting
      ? plan.baseline.nights
      : new Set(baseline.map(({ samplesSha256 }) => samplesSha256)).size,
    lookNights: 1,
    alpha: alphaOf(plan),
  };
  const drop = Math.min(STATED_DROP, tonight.decision.baseline.score.value / 2);
  const found = (design: PowerDesign): string => probability(powerOf(design, drop));
  const smallest = smallestDrop(night, STATED_POWER);
  return [
    `Any false alarm within ${horizonNights} nights has a chance of at most ${percent(falseAlarmRate)}, over all benchmarks and looks.`,
    ...(drop === 0
      ? ['The baseline has no success, so no drop can be found.']
      : [
          `A drop of ${pointsOf(drop)} points is found the same night with probability ${found(night)}${windowNights > 1 ? `; one that stays is found in ${windowNights} nights together with ${found({ ...night, lookNights: windowNights })}` : ''}.`,
          smallest === null
            ? `No drop is found the same night with probability ${STATED_POWER}: ask for more samples a task.`
            : `The smallest drop that is found the same night with probability ${STATED_POWER} is ${pointsOf(smallest)} points.`,
        ]),
    ...(temperature === 0 && samples > tonight.tasks.length
      ? [
          'Answers are greedy (temperature 0): several of one task are hardly independent, so an alarm says that answers changed, not how surely they are worse. One sample a task is enough.',
        ]
      : []),
  ];
}

/** A task's share of successes in the baseline, drawn a little to the middle: few samples never show that it is 0 or 1. */
function ratesOf(baseline: readonly NightRecord[]): number[] {
  const counts = new Map<string, { samples: number; successes: number }>();
  for (const { tasks, metric } of new Map(baseline.map((night) => [night.samplesSha256, night])).values()) {
    for (const task of tasks) {
      const { samples, successes } = counts.get(task.taskId) ?? { samples: 0, successes: 0 };
      counts.set(task.taskId, {
        samples: samples + task.samples,
        successes: successes + (task[metric] ?? 0),
      });
    }
  }
  return [...counts.values()].map(({ samples, successes }) => (successes + 0.5) / (samples + 1));
}

function pointsOf(share: number): string {
  return (share * 100).toFixed(1);
}

function probability(value: number): string {
  return value > 0.99 ? 'more than 0.99' : value < 0.01 ? 'less than 0.01' : value.toFixed(2);
}
