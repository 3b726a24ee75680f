/** The workflow `refreshData`: what is new in a source since the last approved time, up to traces that wait for approval. */
import { z } from 'zod';
import type { Reuse } from '../activities.ts';
import {
  budgetSchema,
  datasetSchema,
  distillSchema,
  filterSchema,
  finetuneSchema,
  reuseSchema,
} from '../recipe.ts';
import { seriesName } from '../recipe/fields.ts';
import type { CweFamily } from '../rows.ts';
import type { StageResult } from './results.ts';

export const approveUpdateName = 'approve';

/** Input of the update `approve`. */
export const approvalSchema = z.strictObject({
  approved: z.boolean(),
  /** Kept with the decision: who decided, and why. */
  note: z.string().max(500).default(''),
});
export type Approval = z.infer<typeof approvalSchema>;

export const refreshInputSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  reuse: reuseSchema,
  /** Name of the history that says which rows were approved before; not of this start. */
  series: seriesName,
  dataset: datasetSchema,
  filter: filterSchema,
  distill: distillSchema,
  budget: budgetSchema.optional(),
  /** Trained on the approved traces; where not given the run ends with them. */
  finetune: finetuneSchema.optional(),
  approval: z
    .strictObject({
      /** Who does not answer within this time has refused; the rows come again the next time. */
      timeoutHours: z.number().positive().max(8784).default(168),
    })
    .prefault({}),
});
export type RefreshInput = z.infer<typeof refreshInputSchema>;

export const refreshStates = ['nothingNew', 'nothingKept', 'refused', 'approved', 'trained'] as const;
export type RefreshState = (typeof refreshStates)[number];

export const refreshDecisionSchema = approvalSchema.extend({
  at: z.iso.datetime(),
  /** "timeout": nobody answered. */
  by: z.enum(['update', 'timeout']),
});
export type RefreshDecision = z.infer<typeof refreshDecisionSchema>;

export const refreshResultSchema = z.strictObject({
  series: z.string(),
  /** "nothingKept": no new row came to a trace. */
  state: z.enum(refreshStates),
  /** Rows of the source after duplicates and benchmark rows are out, and those that no approved refresh had. */
  rows: z.int().nonnegative(),
  newRows: z.int().nonnegative(),
  /** uris of the artefacts; null where it did not come so far. */
  dataset: z.string().nullable(),
  filtered: z.string().nullable(),
  traces: z.string().nullable(),
  traceRows: z.int().nonnegative(),
  decision: refreshDecisionSchema.nullable(),
  model: z.string().nullable(),
  costUsd: z.number().nonnegative(),
});
export type RefreshResult = z.infer<typeof refreshResultSchema>;

/** One approval: the rows of its dataset are seen from then on. */
export const approvedRefreshSchema = z.strictObject({
  at: z.iso.datetime(),
  workflowId: z.string(),
  /** The first run of the chain: the same for every retry and reset. */
  firstRunId: z.string(),
  /** uri of the dataset of new rows. */
  dataset: z.string(),
  rows: z.int().nonnegative(),
  traces: z.string(),
  note: z.string(),
});
export type ApprovedRefresh = z.infer<typeof approvedRefreshSchema>;

/** `refresh/<series>/state.json`: small, since the rows stand in the artefacts that it names. */
export const refreshStateSchema = z.strictObject({
  version: z.literal(1),
  series: z.string(),
  /** Oldest first. */
  approved: z.array(approvedRefreshSchema),
});
export type RefreshRecord = z.infer<typeof refreshStateSchema>;

/** Queue `secpi-data`. */
export interface RefreshDataActivities {
  /** Publishes the rows of a dataset that no approved refresh of the series had. */
  /** What this chain of runs approved itself, before a reset or a retry, is still new to it. */
  selectNewRows(input: {
    dataset: string;
    series: string;
    reuse: Reuse;
    firstRunId: string;
  }): Promise<StageResult>;
}

/** What a person should know who decides. */
export interface TraceOverview {
  readonly families: readonly CweFamily[];
  /** Traces by weakness, the most frequent first, at most ten. */
  readonly cwes: readonly { readonly cwe: string; readonly traces: number }[];
}

/** Queue `secpi`. */
export interface RefreshActivities {
  describeTraces(input: { traces: string }): Promise<TraceOverview>;
  /** Once for each run, however often it is asked. */
  markRowsSeen(input: { series: string; approval: ApprovedRefresh }): Promise<void>;
}
