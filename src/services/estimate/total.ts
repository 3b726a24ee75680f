/** All stages of an estimate together. Pure. */
import type { Estimate } from '../../contract/workflows.ts';
import { rangeOf, sum } from './prediction.ts';
import type { ProjectedStage } from './projectStage.ts';

export function totalEstimate(
  stages: readonly ProjectedStage[],
  { paidUsd, notes }: Pick<Estimate, 'paidUsd' | 'notes'>,
): Estimate {
  const costUsd = sum(stages.map(({ estimate }) => estimate.costUsd));
  const worstUsd = sum(stages.map(({ estimate }) => estimate.worstUsd));
  const variances = stages.map(({ variance }) => variance);
  const isKnown = variances.every((variance) => variance !== null);
  const range = isKnown
    ? rangeOf({ expected: costUsd, variance: sum(variances) }, { atMost: worstUsd })
    : {
        low: sum(stages.map(({ estimate }) => estimate.lowUsd)),
        high: sum(stages.map(({ estimate }) => estimate.highUsd)),
      };
  return {
    stages: stages.map(({ estimate }) => estimate),
    costUsd,
    lowUsd: range.low,
    highUsd: range.high,
    paidUsd,
    seconds: sum(stages.map(({ seconds }) => seconds)),
    notes,
  };
}
