/** The classifier against rows that people have labelled, before the dataset is paid for. */
import type { DataActivities } from '../contract/activities.ts';
import { SecpiError } from '../contract/errors.ts';
import type { Manifest, Usage } from '../contract/manifest.ts';
import { datasetSchema, type Calibration, type Dataset, type FilterSettings } from '../contract/recipe.ts';
import type { BudgetHolder } from '../contract/workflows.ts';
import { readRecords } from '../services/dataset/readRecords.ts';
import { hashSource, openSource, type DatasetSource } from '../services/dataset/source.ts';
import {
  enforceGate,
  labelledRowSchema,
  measureAgreement,
  type Agreement,
  type LabelledRow,
  type Rate,
} from '../services/filter/calibrate.ts';
import type { Deps } from './deps.ts';
import { type AskPools } from './askPools.ts';
import { classify } from './classify.ts';
import type { ActivityRun } from './runActivity.ts';

export async function calibrateFilter(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { fingerprint, filter, budget }: Parameters<DataActivities['calibrateFilter']>[0],
): Promise<void> {
  const { calibration } = filter;
  if (calibration === undefined) return;
  const { agreement } = await measure(deps, pools, run, { calibration, filter, payer: fingerprint, budget });
  enforceGate(agreement, calibration);
}

export interface Measured {
  readonly agreement: Agreement;
  /** Labelled rows that got no usable answer; they are in no rate. */
  readonly unanswered: number;
  readonly usage: Usage;
}

/** Asks about the labelled rows; a second time they are all in the ledger and cost nothing. */
export async function measure(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  {
    calibration,
    filter,
    payer,
    budget,
  }: {
    readonly calibration: Calibration;
    readonly filter: FilterSettings;
    readonly payer: string;
    readonly budget: BudgetHolder | null;
  },
): Promise<Measured> {
  const rows = (await readLabels(deps, calibration)).map((row, index) => ({
    ...row,
    id: row.id ?? `label-${index}`,
  }));
  const { results, usage } = await classify(deps, pools, run, { rows, filter, payer, budget });
  const judgements = results.flatMap((result, position) => {
    const row = rows[position];
    return result.kind === 'dead' || row === undefined
      ? []
      : [{ labelled: row.relevant, said: result.value.relevant }];
  });
  return { agreement: measureAgreement(judgements), unanswered: rows.length - judgements.length, usage };
}

/** For the manifest of the stage. */
export function agreementFacts({ agreement, unanswered }: Measured): Manifest['facts'][string] {
  const { precision, recall, f1, ...counts } = agreement;
  return { ...counts, unanswered, precision: plain(precision), recall: plain(recall), f1: plain(f1) };
}

function plain(rate: Rate | null): { value: number; low: number; high: number } | null {
  return rate === null ? null : { ...rate };
}

/** SHA-256 of the labelled rows' bytes: other labels are another gate. */
export async function hashLabels(deps: Deps, calibration: Calibration): Promise<string> {
  return await hashSource(await openLabels(deps, calibration));
}

const LABELS_FIELD = 'filter.calibration.labels';
const readLabelsAs = (labels: string): Dataset => datasetSchema.parse({ uri: labels, format: 'jsonl' });

async function openLabels({ store, paths }: Deps, { labels }: Calibration): Promise<DatasetSource> {
  try {
    return await openSource(readLabelsAs(labels), store.objects, paths.baseDir);
  } catch (error) {
    if (!(error instanceof SecpiError)) throw error;
    throw new SecpiError(error.code, error.problem, { field: LABELS_FIELD, cause: error });
  }
}

async function readLabels(deps: Deps, calibration: Calibration): Promise<LabelledRow[]> {
  const source = await openLabels(deps, calibration);
  const { fields } = readLabelsAs(calibration.labels);
  const rows: LabelledRow[] = [];
  for await (const record of readRecords(source, fields)) {
    const parsed = record.kind === 'value' ? labelledRowSchema.safeParse(record.value) : null;
    if (parsed?.success !== true) {
      const why = record.kind === 'bad' ? record.problem : (parsed?.error?.issues[0]?.message ?? '');
      throw new SecpiError('DATASET_UNREADABLE', `labelled row ${rows.length + 1} does not fit: ${why}.`, {
        field: LABELS_FIELD,
        remedy: 'Every row needs {"task": text, "relevant": true or false}, and "cwes" if you like.',
      });
    }
    rows.push(parsed.data);
  }
  if (rows.length === 0)
    throw new SecpiError('DATASET_EMPTY', 'there are no labelled rows.', { field: LABELS_FIELD });
  return rows;
}
