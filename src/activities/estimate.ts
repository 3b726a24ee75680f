/**
 * What a run will pay, before it does: a small random sample goes through the models by the very requests of the run,
 * so its answers are in the ledger then and are not paid again.
 */
import type { DataActivities } from '../contract/activities.ts';
import type { Manifest, Usage } from '../contract/manifest.ts';
import type { FilteredRow } from '../contract/rows.ts';
import { emptyUsage } from '../contract/usage.ts';
import type { Estimate, EstimateInput } from '../contract/workflows.ts';
import { sum } from '../services/estimate/prediction.ts';
import { once, projectStage, type ProjectedStage } from '../services/estimate/projectStage.ts';
import { totalEstimate } from '../services/estimate/total.ts';
import { filterMessages } from '../services/filter/prompt.ts';
import { promptTokensAtMost } from '../services/llm/price.ts';
import type { Deps } from './deps.ts';
import { isSelected } from './distil.ts';
import { type AskPools } from './askPools.ts';
import { estimateDistil, type Judged } from './estimateDistil.ts';
import { pricesOf, sizesOf } from './estimateSample.ts';
import { classifierBytes, scanRows, type Scan, type Stratum } from './estimateScan.ts';
import { classify, sort } from './classify.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'estimate';
/** Answers in the ledger cost a read each; this many tell how long answers are, and how many rows are kept. */
const FREE_READS = 2000;

export async function estimateCost(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { dataset: uri, estimate }: Parameters<DataActivities['estimateCost']>[0],
): Promise<Estimate> {
  const dataset = await deps.store.artifacts.readByUri(uri);
  const payer = `estimate:${run.owner.workflowId}:${run.owner.runId}`;
  run.progress(STAGE, { state: 'running', total: dataset.rows, note: 'what is in the ledger already?' });
  const scan = await scanRows(deps, pools, run, {
    dataset,
    estimate,
    askAtMost: estimate.sample.classifier,
    readAtMost: FREE_READS,
  });
  const sampled = await sampleClassifier(deps, pools, run, { scan, estimate, payer });
  const distil = await estimateDistil(deps, pools, run, {
    estimate,
    judged: sampled.judged,
    payer,
    decontaminated: dataset.facts['decontaminated'],
  });
  return totalEstimate([...sampled.stages, distil.stage], {
    paidUsd: sampled.usage.costUsd + distil.usage.costUsd,
    notes: [...notesOf(estimate, dataset), ...distil.notes],
  });
}

interface SampledFilter {
  readonly stages: readonly ProjectedStage[];
  readonly judged: readonly Judged[];
  readonly usage: Usage;
}

/** Asks about the rows that were drawn; those that are known are read. */
async function sampleClassifier(
  deps: Deps,
  pools: AskPools,
  run: ActivityRun,
  { scan, estimate, payer }: { scan: Scan; estimate: EstimateInput; payer: string },
): Promise<SampledFilter> {
  const { filter } = estimate;
  const { known, unknown } = scan;
  if (filter.mode === 'keepAll') {
    const kept = known.drawn.map((row): FilteredRow => ({ ...row, cwes: [], reason: 'not filtered' }));
    return { stages: [], judged: [judgedOf(known, kept, estimate)], usage: emptyUsage };
  }
  run.progress(STAGE, { note: `asking ${filter.classifier.model} about ${unknown.drawn.length} rows` });
  const drawn = [...unknown.drawn, ...known.drawn];
  const answered =
    drawn.length === 0
      ? { results: [], usage: emptyUsage }
      : await classify(deps, pools, run, { rows: drawn, filter, payer, budget: null });
  const { kept } = sort(drawn, answered);
  const asked = new Set(unknown.drawn.map(({ index }) => index));
  const restRows = unknown.rows - unknown.drawn.length;
  const restBytes = unknown.promptBytes - sum(unknown.drawn.map(classifierBytes));
  const { classifier } = filter;
  const stage = projectStage({
    stage: 'filter',
    endpoint: classifier,
    ...pricesOf(classifier),
    rows: known.rows + unknown.rows,
    known: known.rows,
    sampled: unknown.drawn.length,
    rest: {
      rows: { expected: restRows, variance: 0 },
      isAssumed: false,
      promptBytes: restBytes,
      promptTokensAtMost: restBytes,
      requestsAtMost: restRows,
    },
    answers: sizesOf(drawn, answered.results, (row) => promptTokensAtMost(filterMessages(row.task))),
    multiple: once,
  });
  return {
    stages: [stage],
    judged: [
      judgedOf(
        unknown,
        kept.filter(({ index }) => asked.has(index)),
        estimate,
      ),
      judgedOf(
        known,
        kept.filter(({ index }) => !asked.has(index)),
        estimate,
      ),
    ],
    usage: answered.usage,
  };
}

function judgedOf(stratum: Stratum, kept: readonly FilteredRow[], { distill }: EstimateInput): Judged {
  return { stratum, kept: kept.filter((row) => isSelected(row, distill)) };
}

function notesOf({ filter, distill, sample }: EstimateInput, dataset: Manifest): string[] {
  const notes: string[] = [];
  for (const endpoint of [...(filter.mode === 'classifier' ? [filter.classifier] : []), distill.teacher]) {
    const { price } = pricesOf(endpoint);
    if (price.price === null)
      notes.push(`No price of ${endpoint.model} (${price.source}): give priceUsdPerMillionTokens.`);
    if (endpoint.transport === 'batch')
      notes.push(
        `The sample of ${endpoint.model} went as a batch of its own; batches take as long as the provider lets them.`,
      );
  }
  if (filter.mode === 'classifier' && filter.calibration !== undefined)
    notes.push('The labelled rows of filter.calibration are asked besides, and are in no figure.');
  if (filter.mode === 'classifier' && sample.classifier === 0)
    notes.push('No row was asked: rows that the ledger does not know are all taken to be kept.');
  const bad = dataset.counts['bad'] ?? 0;
  if (bad > 0) notes.push(`${bad} rows of the dataset cannot be read and cost nothing.`);
  return notes;
}
