/** A decision in words. Pure. */
import type { Decision, Look } from '../../contract/trend.ts';
import { percent, plural, points, scientific } from '../report/words.ts';
import type { DecisionPlan, Night } from './decide.ts';

interface Circumstances {
  /** There were nights before, but they were asked something else, or count no more. */
  readonly beganAnew: boolean;
  /** The samples are the baseline's own. */
  readonly isRepeat: boolean;
}

const metricWords = { func: 'func', funcSec: 'func-and-secure' };

export function sentencesOf(
  night: Night,
  { state, looks, baseline }: Omit<Decision, 'sentences'>,
  plan: DecisionPlan,
  { beganAnew, isRepeat }: Circumstances,
): string[] {
  const what = `${night.benchmark}: ${metricWords[night.metric]}`;
  const before = `${percent(baseline.score.value)} of the baseline (${plural(baseline.nights, 'night')}, ${plural(baseline.score.n, 'sample')})`;
  const found = (name: Look['name'], verb: string): string => {
    const look = looks.find((one) => one.name === name);
    if (look === undefined) return '';
    const when = look.nights === 1 ? 'tonight' : `over the last ${look.nights} nights together`;
    return `${what} ${verb} to ${percent(look.value)} ${when}, ${points(look.value - baseline.score.value)} points from ${before}; p = ${scientific(look.pValue)}, at most ${scientific(look.alpha)} is beyond chance.`;
  };
  const said = {
    collecting: `${what} ${percent(night.score.value)} tonight; this is night ${baseline.nights} of the ${plan.baseline.nights} that the baseline takes at most, so nothing is compared yet.`,
    regression: found('tonight lower', 'fell'),
    drift: found('window lower', 'drifted'),
    improved: found('tonight higher', 'rose'),
    steady: isRepeat
      ? `${what} ${percent(night.score.value)}: the answers are those of a night of the baseline, so no sample is new.`
      : `${what} ${percent(night.score.value)} tonight is no further from ${before} than chance may bring it.`,
  } satisfies Record<Decision['state'], string>;
  return [
    said[state],
    ...(beganAnew
      ? [
          `${night.benchmark}: a new baseline begins tonight; the nights before were asked otherwise (tasks, prompts, sampling or harness) or lie before baseline.since.`,
        ]
      : []),
    ...(night.unknown > 0
      ? [
          `${night.benchmark}: ${plural(night.unknown, 'sample')} could not be graded and ${night.unknown === 1 ? 'counts' : 'count'} as failed.`,
        ]
      : []),
  ];
}
