/** The teacher's part of an estimate: how many rows it will be asked about, and what a sample of them came to. */
import type { Usage } from '../contract/manifest.ts';
import type { FilteredRow } from '../contract/rows.ts';
import type { EstimateInput } from '../contract/workflows.ts';
import { add, predictRest, sum, type Amount } from '../services/estimate/prediction.ts';
import { projectStage, type ProjectedStage } from '../services/estimate/projectStage.ts';
import type { Deps } from './deps.ts';
import { type AskPools } from './askPools.ts';
import { pricesOf } from './estimateSample.ts';
import { teacherBytes, type Stratum } from './estimateScan.ts';
import { answered, sampleTeacher } from './estimateTeacher.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'estimate';
/** Known answers that are read to see how long answers are. */
const FREE_READS = 200;

/** A stratum whose drawn rows have been classified. */
export interface Judged {
  readonly stratum: Stratum;
  /** Of the drawn rows those that the filter keeps and the recipe's families and languages let in. */
  readonly kept: readonly FilteredRow[];
}

export interface DistilToEstimate {
  readonly estimate: EstimateInput;
  readonly judged: readonly Judged[];
  readonly payer: string;
  /** Of the dataset: what traces are held apart from. */
  readonly decontaminated: unknown;
}

export interface EstimatedDistil {
  readonly stage: ProjectedStage;
  readonly usage: Usage;
  readonly notes: readonly string[];
}

export async function estimateDistil(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  input: DistilToEstimate,
): Promise<EstimatedDistil> {
  const { estimate, judged } = input;
  const { distill, sample } = estimate;
  const inLedger = await answered(
    deps,
    pools,
    distill,
    judged.flatMap(({ kept }) => kept),
    0,
  );
  const split = judged.map(({ stratum, kept }) => ({
    stratum,
    known: kept.filter((row) => inLedger.has(row)),
    open: kept.filter((row) => !inLedger.has(row)),
  }));
  const open = split.flatMap((part) => part.open);
  const asked = open.slice(0, sample.teacher);
  const left = open.slice(asked.length);
  const read = split.flatMap(({ known }) => known).slice(0, FREE_READS);
  run.progress(STAGE, { note: `asking ${distill.teacher.model} about ${asked.length} rows` });
  const { answers, usage, multiple, notes } = await sampleTeacher(deps, pools, run, {
    distill,
    payer: input.payer,
    decontaminated: input.decontaminated,
    asked,
    read,
  });

  const known = add(...split.map((part) => inStratum(part.stratum, part.known.length, 0)));
  const toAsk = add(...split.map((part) => inStratum(part.stratum, part.open.length, part.stratum.rows)));
  const unseen = sum(split.map(({ stratum }) => stratum.rows - stratum.drawn.length));
  const bytesOf = (row: FilteredRow | Stratum['drawn'][number]): number => teacherBytes(row, estimate);
  const unseenBytes = sum(
    split.map(({ stratum }) => stratum.teacherPromptBytes - sum(stratum.drawn.map(bytesOf))),
  );
  const stage = projectStage({
    stage: 'distil',
    endpoint: distill.teacher,
    ...pricesOf(distill.teacher),
    rows: known.expected + toAsk.expected,
    known: known.expected,
    sampled: asked.length,
    rest: {
      rows: { expected: toAsk.expected - asked.length, variance: toAsk.variance },
      isAssumed: split.some(({ stratum }) => stratum.rows > 0 && stratum.drawn.length === 0),
      promptBytes: null,
      promptTokensAtMost: (unseenBytes + sum(left.map(bytesOf))) * distill.samples.n,
      requestsAtMost: (unseen + left.length) * distill.samples.n,
    },
    answers,
    multiple,
  });
  return { stage, usage, notes };
}

/** So many of the drawn rows, and of the others as their share says; `unasked` where no row was drawn. */
function inStratum({ rows, drawn }: Stratum, hits: number, unasked: number): Amount {
  if (drawn.length === 0) return { expected: unasked, variance: 0 };
  const votes = drawn.map((_, position) => (position < hits ? 1 : 0));
  const rest = predictRest(votes, rows - drawn.length);
  return { expected: hits + rest.expected, variance: rest.variance };
}
