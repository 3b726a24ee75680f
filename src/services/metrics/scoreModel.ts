/** All scores of one model on one benchmark: over everything, and over the groups of tasks that a reader asks for. */
import type { PromptVariant } from '../../contract/benchmarkNames.ts';
import { cweFamilies, type CweFamily } from '../../contract/rows.ts';
import type { GroupScores, ModelScores } from '../../contract/summary.ts';
import { familyOf } from '../cwe/index.ts';
import type { ScoreOptions } from './score.ts';
import { scoreGroup, scoreTries, type Measures } from './scoreGroup.ts';
import { exposureOf, isSeen } from './seen.ts';
import type { TaskTally } from './tally.ts';

export interface ModelMetrics extends Pick<
  ModelScores,
  'seen' | 'heldOut' | 'perCwe' | 'perFamily' | 'perLanguage' | 'perVariant' | 'passAtK'
> {
  readonly all: GroupScores;
}

/**
 * Everything is about the first variant, save `perVariant`. A task of several weaknesses stands in the group of each, so
 * groups overlap; its verdict is over all its tests, whichever group it is told in. `trainedCwes` null: nothing is known
 * about training, so nothing is split.
 */
export function scoreModel(
  tallies: ReadonlyMap<PromptVariant, readonly TaskTally[]>,
  measures: Measures,
  trainedCwes: ReadonlySet<string> | null,
  options: ScoreOptions,
): ModelMetrics {
  const [[headline, tasks] = []] = tallies;
  if (headline === undefined || tasks === undefined)
    throw new RangeError('there is no prompt variant to score');
  const score = (group: readonly TaskTally[]): GroupScores => scoreGroup(group, measures, options);
  const over = (holds: (task: TaskTally) => boolean): GroupScores | null => {
    const group = tasks.filter(holds);
    return group.length === 0 ? null : score(group);
  };
  const all = score(tasks);
  const secure = measures === 'functionAndSecurity';
  const trained = secure ? trainedCwes : null;
  return {
    all,
    seen: trained && over((task) => exposureOf(task, trained) === 'seen'),
    heldOut: trained && over((task) => exposureOf(task, trained) === 'heldOut'),
    perCwe: secure
      ? groupsOf(tasks, (task) => task.cwes, byNumber).map(([cwe, group]) => ({
          cwe,
          seen: trained && isSeen(cwe, trained),
          ...score(group),
        }))
      : [],
    perFamily: secure
      ? groupsOf(tasks, familiesOf, byFamily).map(([name, group]) => ({ name, ...score(group) }))
      : [],
    perLanguage: groupsOf(tasks, (task) => [task.language], byText).map(([name, group]) => ({
      name,
      ...score(group),
    })),
    perVariant: [...tallies].map(([name, group]) => ({ name, ...(name === headline ? all : score(group)) })),
    passAtK: scoreTries(tasks, measures, options),
  };
}

/** The families of its weaknesses, each once; weaknesses of no family give none. */
function familiesOf({ cwes }: TaskTally): CweFamily[] {
  return [...new Set(cwes.map(familyOf).filter((family) => family !== null))];
}

/** Tasks by each of their labels, in order of the labels. */
function groupsOf<Label extends string>(
  tasks: readonly TaskTally[],
  labelsOf: (task: TaskTally) => readonly Label[],
  order: (a: Label, b: Label) => number,
): [Label, TaskTally[]][] {
  const groups = new Map<Label, TaskTally[]>();
  for (const task of tasks) {
    for (const label of labelsOf(task)) {
      const group = groups.get(label);
      if (group === undefined) groups.set(label, [task]);
      else group.push(task);
    }
  }
  return [...groups].sort(([a], [b]) => order(a, b));
}

function byNumber(a: string, b: string): number {
  return Number(a.slice('CWE-'.length)) - Number(b.slice('CWE-'.length));
}

function byFamily(a: CweFamily, b: CweFamily): number {
  return cweFamilies.indexOf(a) - cweFamilies.indexOf(b);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
