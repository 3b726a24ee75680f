/** A sample of rows through the teacher, by the very rounds of the stage: what each row takes. */
import type { Usage } from '../contract/manifest.ts';
import type { DistillSettings } from '../contract/recipe.ts';
import type { FilteredRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import { promptVersionOf, teacherMessages } from '../services/distill/prompt.ts';
import { sum } from '../services/estimate/prediction.ts';
import { once, type Multiple, type RowCost } from '../services/estimate/projectStage.ts';
import type { TokenUsage } from '../services/llm/chat.ts';
import { promptTokensAtMost } from '../services/llm/price.ts';
import { requestKey } from '../services/llm/requestKey.ts';
import type { RunRequestsResult } from '../services/llm/runRows.ts';
import type { Deps } from './deps.ts';
import { DistilRounds } from './distilRounds.ts';
import { identityOf, useLedger, type AskPools } from './askPools.ts';
import { askRows } from './askRows.ts';
import { sizesOf } from './estimateSample.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'estimate';

/** Those of which a sample is in the ledger. */
export async function answered(
  deps: Deps,
  pools: AskPools,
  { teacher, prompt }: DistillSettings,
  rows: readonly FilteredRow[],
  sample: number,
): Promise<ReadonlySet<FilteredRow>> {
  const promptVersion = promptVersionOf(prompt);
  const identity = identityOf(teacher, promptVersion);
  const keyOf = ({ task, cwes }: FilteredRow): string =>
    requestKey(
      identity,
      { messages: teacherMessages(task, cwes, prompt), sampling: teacher.sampling },
      sample,
    );
  return await useLedger(
    deps,
    pools,
    teacher,
    promptVersion,
    async (ledger) => new Set(rows.filter((row) => ledger.has(keyOf(row)))),
  );
}

export interface TeacherSample {
  readonly distill: DistillSettings;
  readonly payer: string;
  /** Of the dataset: what traces are held apart from. */
  readonly decontaminated: unknown;
  /** Rows to be asked, and paid for. */
  readonly asked: readonly FilteredRow[];
  /** Rows whose answers are in the ledger. */
  readonly read: readonly FilteredRow[];
}

export interface SampledTeacher {
  readonly answers: readonly RowCost[];
  readonly usage: Usage;
  readonly multiple: Multiple;
  readonly notes: readonly string[];
}

/**
 * Plays the rounds of the stage over the rows to be asked, all but their own tests, and reads what each row took; the
 * rows that are known tell the same for nothing.
 */
export async function sampleTeacher(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { distill, payer, decontaminated, asked, read }: TeacherSample,
): Promise<SampledTeacher> {
  if (asked.length + read.length === 0)
    return { answers: [], usage: emptyUsage, multiple: unsampled(distill), notes: [] };
  const played = await playRounds(deps, pools, run, { distill, payer, decontaminated, asked });
  const rows = [...asked, ...read];
  const answers = new Map<FilteredRow, RowCost>();
  let paidUsd = 0;
  for (let sample = 0; sample < distill.samples.n; sample += 1) {
    const inLedger = await answered(deps, pools, distill, rows, sample);
    const present = rows.filter((row) => inLedger.has(row));
    if (present.length === 0) break;
    const { results, usage } = await askTeacher(deps, pools, run, { distill, payer, rows: present, sample });
    paidUsd += usage.costUsd;
    for (const [position, row] of present.entries()) {
      const [size] = sizesOf([row], results.slice(position, position + 1), promptBytesOf(distill));
      if (size !== undefined) answers.set(row, plus(answers.get(row), size));
    }
  }
  const { judge } = distill.oracles;
  const { usage, counts } = played;
  const teacherAnswers = counts['answers'] ?? 0;
  if (judge === undefined || teacherAnswers === 0)
    return {
      answers: [...answers.values()],
      usage,
      multiple: once,
      notes: [
        ...(judge === undefined ? [] : ['No row was asked, so the judge is in no figure.']),
        ...testNotes(distill),
      ],
    };
  const judged = counts['judged'] ?? 0;
  const tokens = [...answers.entries()].flatMap(([row, cost]) => (asked.includes(row) ? [cost.usage] : []));
  const times = (all: number, of: (usage: TokenUsage) => number): number => {
    const teachers = sum(tokens.map(of));
    return teachers === 0 ? 1 : all / teachers;
  };
  return {
    answers: [...answers.values()],
    usage,
    multiple: {
      requests: (teacherAnswers + judged) / teacherAnswers,
      promptTokens: times(usage.promptTokens, ({ promptTokens }) => promptTokens),
      completionTokens: times(usage.completionTokens, ({ completionTokens }) => completionTokens),
      costUsd: paidUsd === 0 ? 1 : usage.costUsd / paidUsd,
    },
    notes: [`Tokens and money of distil include the judge, ${judge.model.model}.`, ...testNotes(distill)],
  };
}

interface Played {
  readonly usage: Usage;
  readonly counts: Readonly<Record<string, number>>;
}

async function playRounds(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { distill, payer, decontaminated, asked }: Omit<TeacherSample, 'read'>,
): Promise<Played> {
  if (asked.length === 0) return { usage: emptyUsage, counts: {} };
  const rounds = new DistilRounds(deps, pools, run, {
    distill: { ...distill, oracles: { ...distill.oracles, tests: 'off' } },
    rows: asked,
    fingerprint: payer,
    budget: null,
    decontaminated,
    verdicts: [],
  });
  const played = await rounds.play();
  if (played.status === 'test') throw new Error('rounds without tests asked for some');
  return played;
}

/** One sample of each row; to be called for those that are in the ledger. */
async function askTeacher(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  {
    distill,
    payer,
    rows,
    sample,
  }: { distill: DistillSettings; payer: string; rows: readonly FilteredRow[]; sample: number },
): Promise<RunRequestsResult<unknown>> {
  return await askRows(deps, pools, run, {
    endpoint: distill.teacher,
    field: 'distill.teacher',
    stage: STAGE,
    promptVersion: promptVersionOf(distill.prompt),
    fingerprint: payer,
    budget: null,
    rows,
    sample,
    messages: (row) => teacherMessages(row.task, row.cwes, distill.prompt),
    interpret: (answer) => answer,
  });
}

const promptBytesOf =
  ({ prompt }: DistillSettings) =>
  ({ task, cwes }: FilteredRow): number =>
    promptTokensAtMost(teacherMessages(task, cwes, prompt));

function plus(left: RowCost | undefined, right: RowCost): RowCost {
  if (left === undefined) return right;
  return {
    promptBytes: left.promptBytes + right.promptBytes,
    usage: {
      promptTokens: left.usage.promptTokens + right.usage.promptTokens,
      completionTokens: left.usage.completionTokens + right.usage.completionTokens,
      reasoningTokens: left.usage.reasoningTokens + right.usage.reasoningTokens,
    },
    requests: left.requests + right.requests,
    latencyMs: left.latencyMs + right.latencyMs,
  };
}

function testNotes({ samples, oracles }: DistillSettings): string[] {
  return samples.n > 1 && samples.earlyStop && oracles.tests !== 'off'
    ? [
        "The sample was not run against the rows' own tests: where they fail, more answers are asked than reckoned.",
      ]
    : [];
}

/** Without a sample: every row takes one answer, or all of them where they are not stopped early; no judge. */
function unsampled({ samples }: DistillSettings): Multiple {
  const times = samples.earlyStop ? 1 : samples.n;
  return { requests: times, promptTokens: times, completionTokens: times, costUsd: times };
}
