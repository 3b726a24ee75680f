/** From verdicts and the facts of a run to `summary.json`. Pure. */
import type { VerdictRow } from '../../contract/rows.ts';
import type { Sampling } from '../../contract/recipe.ts';
import {
  summarySchema,
  type Comparison,
  type DataSummary,
  type Differences,
  type ModelScores,
  type StageSummary,
  type Summary,
  type TrainingSummary,
} from '../../contract/summary.ts';
import {
  defaultBootstrap,
  isSeen,
  pairedDifference,
  scoreModel,
  tallyVerdicts,
  type BootstrapOptions,
  type ExpectedTask,
  type ScoreOptions,
  type TaskTally,
} from '../metrics/index.ts';
import { formulas } from './formulas.ts';
import { conclusion, metricLabels } from './words.ts';

/** One model's grading on one benchmark. */
export interface EvaluatedModel {
  /** What was evaluated, e.g. its uri. */
  readonly model: string;
  readonly sampling: Sampling;
  readonly verdicts: readonly VerdictRow[];
}

export interface SummaryInput {
  readonly run: Summary['run'];
  readonly benchmark: string;
  /** The denominator, fixed before grading. */
  readonly expected: readonly ExpectedTask[];
  readonly base: EvaluatedModel;
  /** Absent where one model was evaluated alone. */
  readonly tuned?: EvaluatedModel;
  /** Weaknesses of the training traces; null where nothing is known about training. */
  readonly trainedCwes: readonly string[] | null;
  readonly training: TrainingSummary | null;
  readonly usage: Summary['usage'];
  readonly stages: readonly StageSummary[];
  readonly counts: Summary['counts'];
  /** Of `dataSummaryOf`; absent where the run made no data. */
  readonly data?: DataSummary;
  readonly versions: Readonly<Record<string, string>>;
  /** Tries of pass@k; 1 where not given. */
  readonly k?: number;
  readonly bootstrap?: BootstrapOptions;
}

/** The result satisfies summarySchema; a ZodError here is a defect of the caller's facts. */
export function buildSummary(input: SummaryInput): Summary {
  const bootstrap = input.bootstrap ?? defaultBootstrap;
  const options: ScoreOptions = { ...bootstrap, k: input.k ?? 1 };
  const trained = input.trainedCwes === null ? null : new Set(input.trainedCwes);
  const evaluate = (model: EvaluatedModel): { tallies: TaskTally[]; scores: ModelScores } => {
    const tallies = tallyVerdicts(input.expected, model.verdicts);
    const { all, seen, heldOut, perCwe } = scoreModel(tallies, trained, options);
    return {
      tallies,
      scores: {
        model: model.model,
        benchmark: input.benchmark,
        ...all,
        seen,
        heldOut,
        perCwe,
        reasons: countReasons(model.verdicts),
        sampling: model.sampling,
        k: options.k,
      },
    };
  };
  const base = evaluate(input.base);
  const tuned = input.tuned === undefined ? undefined : evaluate(input.tuned);
  return summarySchema.parse({
    version: 1,
    run: input.run,
    models: { base: base.scores, ...(tuned && { tuned: tuned.scores }) },
    difference: tuned === undefined ? null : compare(base.tallies, tuned.tallies, trained, options),
    training: input.training,
    costUsd: input.stages.reduce((sum, stage) => sum + stage.costUsd, 0),
    usage: input.usage,
    stages: [...input.stages],
    counts: input.counts,
    data: input.data ?? null,
    versions: { ...input.versions },
    formulas: formulas(options.k, bootstrap),
  } satisfies Summary);
}

function compare(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  trained: ReadonlySet<string> | null,
  options: ScoreOptions,
): Comparison {
  const over = (holds: (task: TaskTally) => boolean): Differences | null => {
    const pair = [base.filter(holds), tuned.filter(holds)] as const;
    return pair[0].length === 0 ? null : differences(...pair, options);
  };
  const all = differences(base, tuned, options);
  const heldOut = trained && over((task) => !isSeen(task.cwe, trained));
  return {
    ...all,
    seen: trained && over((task) => isSeen(task.cwe, trained)),
    heldOut,
    conclusions: [
      conclusion(metricLabels.funcSec, all.funcSec, all),
      ...(heldOut ? [conclusion(`${metricLabels.funcSec} on held-out CWEs`, heldOut.funcSec, heldOut)] : []),
      conclusion(metricLabels.secure, all.secure, all),
      conclusion(metricLabels.func, all.func, all),
    ],
  };
}

function differences(
  base: readonly TaskTally[],
  tuned: readonly TaskTally[],
  options: ScoreOptions,
): Differences {
  return {
    func: pairedDifference(base, tuned, 'func', options),
    secure: pairedDifference(base, tuned, 'secure', options),
    funcSec: pairedDifference(base, tuned, 'funcSec', options),
    tasks: base.length,
    scenarios: new Set(base.map((task) => task.scenario)).size,
  };
}

/** How often each reason stands, the most frequent first. */
function countReasons(verdicts: readonly VerdictRow[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of verdicts) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
