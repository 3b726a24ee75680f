/** What a comparison allows to say, a sentence each. */
import type { Differences, McNemar } from '../../../contract/summary.ts';
import type { Measures } from '../../metrics/index.ts';
import { conclusion, metricLabels, percent, plural, pText } from '../words.ts';

export interface Findings {
  readonly all: Differences;
  readonly heldOut: Differences | null;
  readonly measures: Measures;
  /** Smallest true difference of the primary measure that the design finds; null where it finds none. */
  readonly smallest: number | null;
  readonly mcnemar: McNemar | null;
}

/** The primary measure first; of a benchmark without security tests that is func, and nothing else is said. */
export function conclusionsOf({ all, heldOut, measures, smallest, mcnemar }: Findings): string[] {
  if (measures === 'function') {
    return [conclusion(metricLabels.func, all.func, all), reach(metricLabels.func, all, smallest)];
  }
  return [
    conclusion(metricLabels.funcSec, all.funcSec, all),
    ...(heldOut ? [conclusion(`${metricLabels.funcSec} on held-out CWEs`, heldOut.funcSec, heldOut)] : []),
    conclusion(metricLabels.secure, all.secure, all),
    conclusion(metricLabels.func, all.func, all),
    reach(metricLabels.funcSec, all, smallest),
    ...(mcnemar ? [greedyAnswers(mcnemar)] : []),
  ];
}

function reach(label: string, { tasks, scenarios }: Differences, smallest: number | null): string {
  const design = `${plural(tasks, 'task')} of ${plural(scenarios, 'scenario')}`;
  if (smallest === null) {
    return `With ${design} no true difference in ${label}, however large, would be found four times in five.`;
  }
  const points = percent(smallest).replace(/ %$/, '');
  return `With ${design} a true difference in ${label} must be about ${points} points to be found four times in five; a smaller one easily passes for noise.`;
}

function greedyAnswers({ onlyBase, onlyTuned, pValue }: McNemar): string {
  const p = pText(pValue).replace(/^(?=\d)/, '= ');
  return `Greedy answers: only tuned is functional and secure on ${plural(onlyTuned, 'task')}, only base on ${plural(onlyBase, 'task')}; McNemar’s exact p ${p}, scenarios not clustered.`;
}
