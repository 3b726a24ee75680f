/** Asking the classifier and reading its answers: the one way of the filter, its calibration and estimates. */
import type { Usage } from '../contract/manifest.ts';
import type { FilterSettings } from '../contract/recipe.ts';
import {
  classificationSchema,
  type Classification,
  type DeadLetter,
  type FilteredRow,
  type TaskRow,
} from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { BudgetHolder } from '../contract/workflows.ts';
import { isKnownCwe } from '../services/cwe/index.ts';
import { FILTER_PROMPT_VERSION, filterMessages } from '../services/filter/prompt.ts';
import type { LedgerAnswer } from '../services/llm/ledger.ts';
import type { RunRequestsResult } from '../services/llm/runRows.ts';
import { parseStructured } from '../services/llm/structured.ts';
import type { Deps } from './deps.ts';
import { type AskPools } from './askPools.ts';
import { askRows, deadLetterOf } from './askRows.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'filter';
const FIELD = 'filter.classifier';

type AskedTask = Pick<TaskRow, 'id' | 'task'>;

/** What the classifier is to answer; part of the request key. */
export const CLASSIFICATION = { name: 'classification', schema: classificationSchema } as const;

/** Asks the classifier; also for calibration and estimates, so that their answers are those of the stage. */
export async function classify(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  {
    rows,
    filter,
    payer,
    budget,
  }: {
    readonly rows: readonly AskedTask[];
    readonly filter: FilterSettings;
    readonly payer: string;
    readonly budget: BudgetHolder | null;
  },
): Promise<RunRequestsResult<Classification>> {
  return await askRows(deps, pools, run, {
    endpoint: filter.classifier,
    field: FIELD,
    stage: STAGE,
    promptVersion: FILTER_PROMPT_VERSION,
    fingerprint: payer,
    budget,
    rows,
    messages: (row) => filterMessages(row.task),
    responseSchema: CLASSIFICATION,
    interpret: (answer: LedgerAnswer) => parseStructured(answer, classificationSchema),
  });
}

export interface Sorted {
  readonly kept: FilteredRow[];
  readonly dropped: FilteredRow[];
  readonly deadLetter: DeadLetter[];
  /** Names of weaknesses that the catalogue does not have: left out. */
  readonly unknownCwes: number;
  readonly usage: Usage;
}

/** The ablation without a filter. */
export function keepAll(rows: readonly TaskRow[]): Sorted {
  const kept = rows.map((row) => ({ ...row, cwes: [], reason: 'not filtered' }));
  return { kept, dropped: [], deadLetter: [], unknownCwes: 0, usage: emptyUsage };
}

/** Answers as rows: kept or dropped, with the CWEs that the catalogue knows. */
export function sort(
  rows: readonly TaskRow[],
  { results, usage }: RunRequestsResult<Classification>,
): Sorted {
  const kept: FilteredRow[] = [];
  const dropped: FilteredRow[] = [];
  const deadLetter: DeadLetter[] = [];
  let unknownCwes = 0;
  for (const [position, result] of results.entries()) {
    const row = rows[position] as TaskRow;
    if (result.kind === 'dead') {
      deadLetter.push(deadLetterOf(row, result.error));
      continue;
    }
    const { relevant, cwes, reason } = result.value;
    const named = [...new Set(cwes)];
    const known = named.filter((cwe) => isKnownCwe(cwe));
    unknownCwes += named.length - known.length;
    (relevant ? kept : dropped).push({ ...row, cwes: known, reason });
  }
  return { kept, dropped, deadLetter, unknownCwes, usage };
}
