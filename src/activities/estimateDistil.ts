/** The teacher's part of an estimate: how many rows it will be asked about, and what a sample of them came to. */
import type { Usage } from '../contract/manifest.ts';
import type { FilteredRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { EstimateInput } from '../contract/workflows.ts';
import { promptVersionOf, teacherMessages } from '../services/distill/prompt.ts';
import { add, predictRest, sum, type Amount } from '../services/estimate/prediction.ts';
import {
  once,
  projectStage,
  type AnswerSize,
  type Multiple,
  type ProjectedStage,
} from '../services/estimate/projectStage.ts';
import { promptTokensAtMost } from '../services/llm/price.ts';
import { requestKey } from '../services/llm/requestKey.ts';
import type { Deps } from './deps.ts';
import { DistilRounds } from './distilRounds.ts';
import { askRows, identityOf, useLedger, type AskPools } from './endpoints.ts';
import { pricesOf, sizesOf } from './estimateSample.ts';
import { teacherBytes, type Stratum } from './estimateScan.ts';
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
  const inLedger = await knownRows(
    deps,
    pools,
    estimate,
    judged.flatMap(({ kept }) => kept),
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
    ...input,
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

/** Those whose first answer is in the ledger. */
async function knownRows(
  deps: Deps,
  pools: AskPools,
  { distill }: EstimateInput,
  rows: readonly FilteredRow[],
): Promise<ReadonlySet<FilteredRow>> {
  const { teacher, prompt } = distill;
  const promptVersion = promptVersionOf(prompt);
  const identity = identityOf(teacher, promptVersion);
  const keyOf = ({ task, cwes }: FilteredRow): string =>
    requestKey(identity, { messages: teacherMessages(task, cwes, prompt), sampling: teacher.sampling }, 0);
  return await useLedger(
    deps,
    pools,
    teacher,
    promptVersion,
    async (ledger) => new Set(rows.filter((row) => ledger.has(keyOf(row)))),
  );
}

interface SampledTeacher {
  readonly answers: readonly AnswerSize[];
  readonly usage: Usage;
  readonly multiple: Multiple;
  readonly notes: readonly string[];
}

async function sampleTeacher(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  {
    estimate: { distill },
    payer,
    decontaminated,
    asked,
    read,
  }: DistilToEstimate & { asked: readonly FilteredRow[]; read: readonly FilteredRow[] },
): Promise<SampledTeacher> {
  const rows = [...asked, ...read];
  if (rows.length === 0) return { answers: [], usage: emptyUsage, multiple: unsampled(distill), notes: [] };
  const messages = (row: FilteredRow) => teacherMessages(row.task, row.cwes, distill.prompt);
  const first = await askRows(deps, pools, run, {
    endpoint: distill.teacher,
    field: 'distill.teacher',
    stage: STAGE,
    promptVersion: promptVersionOf(distill.prompt),
    fingerprint: payer,
    budget: null,
    rows,
    messages,
    interpret: (answer) => answer,
  });
  const answers = sizesOf(rows, first.results, (row) => promptTokensAtMost(messages(row)));
  const { samples, oracles } = distill;
  if (samples.n === 1 && oracles.judge === undefined)
    return { answers, usage: first.usage, multiple: once, notes: [] };
  if (asked.length === 0 || first.usage.completionTokens === 0) {
    return {
      answers,
      usage: first.usage,
      multiple: unsampled(distill),
      notes: [
        'No row was asked for more samples or a judgement: they are taken to be none, where they can be.',
      ],
    };
  }
  const rounds = new DistilRounds(deps, pools, run, {
    distill: { ...distill, oracles: { ...oracles, tests: 'off' } },
    rows: asked,
    fingerprint: payer,
    budget: null,
    decontaminated,
    verdicts: [],
  });
  const played = await rounds.play();
  if (played.status === 'test') throw new Error('an estimate ran no tests and was asked for some');
  const { usage, counts } = played;
  const per = (all: number, one: number): number => (one === 0 ? 1 : all / one);
  const multiple: Multiple = {
    requests: ((counts['answers'] ?? 0) + (counts['judged'] ?? 0)) / asked.length,
    promptTokens: per(usage.promptTokens, first.usage.promptTokens),
    completionTokens: per(usage.completionTokens, first.usage.completionTokens),
    costUsd: per(usage.costUsd, first.usage.costUsd),
  };
  const notes = [
    `A row takes ${multiple.requests.toFixed(2)} requests of teacher and judge; answers were not run against the rows' own tests, so more samples may be asked.`,
  ];
  return { answers, usage, multiple, notes };
}

/** Without a sample: every row takes one answer, or all of them where they are not stopped early; no judge. */
function unsampled({ samples }: EstimateInput['distill']): Multiple {
  const times = samples.earlyStop ? 1 : samples.n;
  return { requests: times, promptTokens: times, completionTokens: times, costUsd: times };
}
