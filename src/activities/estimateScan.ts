/** One pass over a dataset for an estimate: what the ledger knows, how long the prompts are, and a sample. */
import type { Manifest } from '../contract/manifest.ts';
import { taskRowSchema, type TaskRow } from '../contract/rows.ts';
import type { EstimateInput } from '../contract/workflows.ts';
import { teacherMessages } from '../services/distill/prompt.ts';
import { Draw } from '../services/estimate/draw.ts';
import { FILTER_PROMPT_VERSION, filterMessages } from '../services/filter/prompt.ts';
import { promptTokensAtMost } from '../services/llm/price.ts';
import { requestKey } from '../services/llm/requestKey.ts';
import { readRows } from '../services/store/index.ts';
import type { Deps } from './deps.ts';
import { identityOf, useLedger, type AskPools } from './askPools.ts';
import { CLASSIFICATION } from './classify.ts';
import type { ActivityRun } from './runActivity.ts';

const PROGRESS_EVERY_ROWS = 5000;
/** As many as the classifier may name, each as long as a name can be. */
const MOST_CWES = Array.from({ length: 8 }, () => 'CWE-0000');

/** Rows that are alike in what is known of them. */
export interface Stratum {
  readonly rows: number;
  /** Of the classifier's prompts, as `promptTokensAtMost` counts them. */
  readonly promptBytes: number;
  /** Of the teacher's prompts, should all rows be kept. */
  readonly teacherPromptBytes: number;
  readonly drawn: readonly TaskRow[];
}

export interface Scan {
  /** The classifier's answer is in the ledger, or no answer is needed. */
  readonly known: Stratum;
  readonly unknown: Stratum;
}

export interface ScanOptions {
  readonly dataset: Manifest;
  readonly estimate: EstimateInput;
  /** Rows drawn of those that must be asked. */
  readonly askAtMost: number;
  /** Rows drawn of those that are known: they cost a read. */
  readonly readAtMost: number;
}

export const classifierBytes = (row: TaskRow): number => promptTokensAtMost(filterMessages(row.task));

/** A bound for any CWEs that the classifier may name. */
export const teacherBytes = (row: TaskRow, { distill }: Pick<EstimateInput, 'distill'>): number =>
  promptTokensAtMost(teacherMessages(row.task, MOST_CWES, distill.prompt));

export async function scanRows(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  options: ScanOptions,
): Promise<Scan> {
  const { mode, classifier } = options.estimate.filter;
  if (mode === 'keepAll') return await scan(deps, run, options, () => true);
  const identity = identityOf(classifier, FILTER_PROMPT_VERSION);
  return await useLedger(
    deps,
    pools,
    classifier,
    FILTER_PROMPT_VERSION,
    async (ledger) =>
      await scan(deps, run, options, (row) => {
        const request = {
          messages: filterMessages(row.task),
          sampling: classifier.sampling,
          responseSchema: CLASSIFICATION,
        };
        return ledger.has(requestKey(identity, request, 0));
      }),
  );
}

async function scan(
  { store }: Deps,
  run: ActivityRun,
  { dataset, estimate, askAtMost, readAtMost }: ScanOptions,
  isKnown: (row: TaskRow) => boolean,
): Promise<Scan> {
  const empty = { rows: 0, promptBytes: 0, teacherPromptBytes: 0 };
  const known = { ...empty, draw: new Draw<TaskRow>(readAtMost) };
  const unknown = { ...empty, draw: new Draw<TaskRow>(askAtMost) };
  let done = 0;
  for await (const row of readRows(store.blobs, dataset.parts['tasks'] ?? [], {}, taskRowSchema)) {
    const stratum = isKnown(row) ? known : unknown;
    stratum.rows += 1;
    stratum.promptBytes += classifierBytes(row);
    stratum.teacherPromptBytes += teacherBytes(row, estimate);
    stratum.draw.offer(row);
    done += 1;
    if (done % PROGRESS_EVERY_ROWS !== 0) continue;
    run.signal.throwIfAborted();
    run.beat(`looked at ${done} of ${dataset.rows} rows`);
  }
  const closed = ({ draw, ...sums }: typeof known): Stratum => ({ ...sums, drawn: draw.drawn() });
  return { known: closed(known), unknown: closed(unknown) };
}
