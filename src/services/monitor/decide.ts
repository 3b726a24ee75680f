/** What a night says beside the nights of its series before it. Pure. */
import type { Decision } from '../../contract/trend.ts';
import type { BaselineSettings, MonitorSettings, NightRecord } from '../../contract/workflows.ts';
import { clopperPearson } from '../metrics/index.ts';
import { SecpiError } from '../../contract/errors.ts';
import { judge, pooled, rateOf, totalOf, type Pool } from './judge.ts';
import { sentencesOf } from './sentences.ts';
import type { Count } from './shiftTest.ts';

/** A night before its decision. */
export type Night = Omit<NightRecord, 'decision'>;

export interface DecisionPlan {
  readonly baseline: BaselineSettings;
  readonly monitor: MonitorSettings;
  /** Benchmarks that the series looks at each night. */
  readonly benchmarks: number;
}

/**
 * `history`: the nights of this series and benchmark before this one, the oldest first. Only nights that were asked the
 * same are compared; where none is left, tonight begins a new baseline.
 */
export function decide(history: readonly Night[], tonight: Night, plan: DecisionPlan): Decision {
  const comparable = comparableTo(tonight, history, plan);
  const baseline = baselineOf([...comparable, tonight], plan.baseline.nights);
  const pool = poolOf(baseline, tonight);
  const isCollecting = baseline.length > comparable.length;
  const isRepeat =
    !isCollecting && baseline.some(({ samplesSha256 }) => samplesSha256 === tonight.samplesSha256);
  const { state, looks } = isCollecting
    ? { state: 'collecting' as const, looks: [] }
    : isRepeat
      ? { state: 'steady' as const, looks: [] }
      : judge(
          pool,
          poolOf([tonight], tonight),
          windowOf([...comparable.slice(baseline.length), tonight], baseline, tonight, plan),
          plan,
        );
  const facts = { state, looks, baseline: { nights: baseline.length, score: scoreOf(pool) } };
  const beganAnew = comparable.length === 0 && history.length > 0;
  return { ...facts, sentences: sentencesOf(tonight, facts, plan, { beganAnew, isRepeat }) };
}

/** Nights that were asked what `tonight` was asked, and that still count. */
export function comparableTo<T extends Night>(
  { identity }: Night,
  history: readonly T[],
  { baseline: { since } }: Pick<DecisionPlan, 'baseline'>,
): T[] {
  const from = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  return history.filter((night) => night.identity === identity && Date.parse(night.at) >= from);
}

/** The first nights, as long as they are of one model: a new version is compared with the one before it. */
export function baselineOf<T extends Night>(nights: readonly T[], most: number): T[] {
  const other = nights.findIndex(({ model }) => model !== nights[0]?.model);
  return nights.slice(0, other === -1 ? most : Math.min(other, most));
}

/** The last nights of tonight's model with samples of their own; null where that is tonight alone. */
function windowOf(
  nights: readonly Night[],
  baseline: readonly Night[],
  tonight: Night,
  { monitor: { windowNights } }: DecisionPlan,
): Pool | null {
  const known = new Set(baseline.map(({ samplesSha256 }) => samplesSha256));
  // What another version answered says nothing of this one.
  const from = nights.findLastIndex(({ model }) => model !== tonight.model) + 1;
  const fresh = nights
    .slice(from)
    .slice(-windowNights)
    .filter(({ samplesSha256 }) => !known.has(samplesSha256));
  const pool = poolOf(fresh, tonight);
  return pool.nights > 1 ? pool : null;
}

/** The same answers, given again, count once. */
function poolOf(nights: readonly Night[], like: Night): Pool {
  const distinct = [...new Map(nights.map((night) => [night.samplesSha256, night])).values()];
  return pooled(distinct.map((night) => countsOf(night, like)));
}

/** In the order of the tasks of `like`. */
function countsOf(night: Night, like: Night): Count[] {
  const byId = new Map(night.tasks.map((task) => [task.taskId, task]));
  return like.tasks.map(({ taskId }) => {
    const task = byId.get(taskId);
    const successes = task?.[like.metric] ?? null;
    if (task === undefined || successes === null)
      throw new SecpiError('INTERNAL', `The night of ${night.at} has no ${like.metric} of ${taskId}.`);
    return { samples: task.samples, successes };
  });
}

/**
 * Clopper and Pearson's interval over all samples. For these tasks alone, each with a chance of its own, it is at least
 * as wide as it must be: the sum of unequal trials varies less than that of equal ones (Hoeffding 1956, Ann. Math.
 * Stat. 27).
 */
export function scoreOf(pool: Pool): NightRecord['score'] {
  const { samples, successes } = totalOf(pool.counts);
  return { value: rateOf(pool), ...clopperPearson(successes, samples, 0.95), n: samples };
}
